"""Standard output: a table for people, one JSON document for machines."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import IO, Any, cast

from django.core.management.base import OutputWrapper
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.states import Status

COLOURS = {
    Status.IN_PROGRESS: "cyan",
    Status.COMPLETED: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "yellow",
}
WIDE = 160  # where nobody sees the width: a pipe, a file


class Output:
    """Where and how a command answers. Colours only on a terminal."""

    def __init__(self, stream: OutputWrapper, *, as_json: bool) -> None:
        stream.ending = ""  # whole lines come here
        self._stream = stream
        self.as_json = as_json
        width = None if stream.isatty() else WIDE
        self._console = Console(file=cast("IO[str]", stream), width=width, emoji=False)

    def rows(self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        """Many things of a kind; `columns` are the keys that the table shows."""
        if self.as_json:
            self.document(list(rows))
            return
        table = Table(*[column.replace("_", " ") for column in columns], box=None, pad_edge=False)
        for row in rows:
            table.add_row(*[_cell(row[column]) for column in columns])
        self._console.print(table if rows else "Nothing.")

    def fields(self, values: Mapping[str, Any]) -> None:
        """One thing."""
        if self.as_json:
            self.document(values)
            return
        table = Table(box=None, show_header=False, pad_edge=False)
        for name, value in values.items():
            table.add_row(name.replace("_", " "), _cell(value))
        self._console.print(table)

    def said(self, sentence: str, **values: Any) -> None:
        """What was done: a sentence, or its values."""
        if self.as_json:
            self.document(values)
        else:
            self._console.print(Text(sentence))

    def line(self, values: Mapping[str, Any]) -> None:
        """One of a stream: a line each, as JSON or as text."""
        if self.as_json:
            self._stream.write(json.dumps(values, cls=DjangoJSONEncoder) + "\n")
        else:
            self._console.print(Text("  ").join(_cell(value) for value in values.values()))
        self._stream.flush()

    def document(self, value: Any) -> None:
        """JSON."""
        self._stream.write(json.dumps(value, cls=DjangoJSONEncoder, indent=2) + "\n")


def _cell(value: Any) -> Text:
    """Text as it is: names that users chose are no markup, and no control codes either."""
    if value is None or value == "":
        return Text("-", style="dim")
    if isinstance(value, Status) or value in set(Status):
        return Text(str(value), style=COLOURS.get(Status(value), ""))
    if isinstance(value, datetime):
        return Text(timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S"))
    if isinstance(value, float):
        return Text(f"{value:.3g}" if value < 1 else f"{value:.1f}")
    if isinstance(value, Mapping | list):
        return Text(json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=True))
    return Text("".join(c if c.isprintable() else "?" for c in str(value)))
