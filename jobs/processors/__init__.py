"""What the service can do: one module a job type, their contract and their registry."""
