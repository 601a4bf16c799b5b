"""Change a text where it stands, or complain."""


class Unchanged(Exception):
    """The text that a mutant changes is not there: the mutant must follow the engine."""


def changed(text: str, old: str, new: str) -> str:
    """The text with `old` replaced. Raises Unchanged."""
    if old not in text:
        raise Unchanged(f"there is no {old!r} in the text that begins {text[:60]!r}")
    return text.replace(old, new)
