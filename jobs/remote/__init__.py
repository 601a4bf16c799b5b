"""Workers that have no database: what the service does for them, and such a worker (`client`)."""
