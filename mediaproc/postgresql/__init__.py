"""Django's PostgreSQL, with the name and password of now."""
