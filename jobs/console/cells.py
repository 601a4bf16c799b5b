"""What stands in a table: values as people read them. Never markup, never control codes."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import singledispatch
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from rich.text import Text

from jobs.states import Status

COLOURS: dict[str, str] = {
    Status.IN_PROGRESS: "cyan",
    Status.COMPLETED: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "yellow",
}
_UNITS = ((86_400, 2, "d"), (3_600, 2, "h"), (60, 2, "min"))


def clean(text: str) -> str:
    """One line of what a terminal can show as it is."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def clean_lines(text: str) -> str:
    """The same, with the line breaks kept."""
    return "\n".join(clean(line) for line in text.splitlines())


@singledispatch
def cell(value: Any) -> Text:
    """Any value; a status has its colour."""
    text = clean(str(value))
    return Text(text, style=COLOURS.get(text, "")) if text else cell(None)


@cell.register
def _(value: None) -> Text:
    return Text("-", style="dim")


@cell.register
def _(value: bool) -> Text:
    return Text("yes" if value else "no")


@cell.register
def _(value: float) -> Text:
    return Text(f"{value:.3g}" if value < 1 else f"{value:.1f}")


@cell.register
def _(value: datetime) -> Text:
    return Text(timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S"))


@cell.register(list)
@cell.register(dict)
def _(value: Any) -> Text:
    return Text(json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=True))


def lines(value: str) -> Text:
    """Text of several lines."""
    return Text(clean_lines(value))


def percent(value: float | None) -> Text:
    """Of a progress, 0.0-1.0."""
    return cell(None) if value is None else Text(f"{value * 100:.0f}%")


def seconds(value: float | None) -> Text:
    """A length of time, with two digits or so: 8 ms, 0.6 s, 45 s, 12 min, 5 h, 3 d."""
    return cell(None) if value is None else Text(_length(value))


def age(value: datetime | None) -> Text:
    """How long ago, or in how long."""
    if value is None:
        return cell(None)
    ago = (timezone.now() - value).total_seconds()
    return Text(_length(round(ago)) if ago >= 0 else f"in {_length(round(-ago))}")


def moment(value: datetime | None) -> Text:
    """The time, and how long ago that was."""
    if value is None:
        return cell(None)
    ago = age(value).plain
    return cell(value) + Text(f" ({ago})" if ago.startswith("in ") else f" ({ago} ago)", "dim")


def pairs(value: Mapping[str, Any]) -> Text:
    """Names with values; empty ones are left out."""
    shown = [
        f"{name.replace('_', ' ')} {cell(one)}"
        for name, one in value.items()
        if one not in (None, "")
    ]
    return Text(", ".join(shown)) if shown else cell(None)


def _length(value: float) -> str:
    for size, least, unit in _UNITS:
        if value >= size * least:
            return f"{value / size:.0f} {unit}"
    if isinstance(value, int) or value >= 10:  # noqa: PLR2004 - from there on no digit behind the point
        return f"{value:.0f} s"
    return f"{value:.1f} s" if value >= 0.1 else f"{value * 1000:.0f} ms"  # noqa: PLR2004
