"""Ids in addresses."""

from uuid import UUID

from rest_framework.exceptions import NotFound

UNKNOWN = "No job has this id."


def id_of(text: str) -> UUID:
    """Raises NotFound for what is not an id at all."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(UNKNOWN) from None
