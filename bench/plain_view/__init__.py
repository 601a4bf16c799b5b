"""What submissions are measured beside: a Django REST framework view that inserts one row."""
