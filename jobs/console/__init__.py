"""What the `jobs` command shows: one module a subject, tables for people, JSON for machines."""
