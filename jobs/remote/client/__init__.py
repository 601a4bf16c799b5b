"""A worker that knows the service by HTTP alone: no database, no models."""
