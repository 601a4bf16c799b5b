"""The one error that this package raises."""


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be used; the message says what, where and what to do."""
