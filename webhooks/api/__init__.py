"""webhooks: endpoints, and the log of what was delivered."""
