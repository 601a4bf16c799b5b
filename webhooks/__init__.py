"""Tells the owners of jobs what happens to them, by HTTP (https://www.standardwebhooks.com)."""
