"""Joins queue and processors: threads that claim, run and settle jobs until told to stop."""
