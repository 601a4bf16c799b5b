"""The only door to a job's status: one operation a module, its SQL beside it."""
