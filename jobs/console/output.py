"""Standard output: a table for people, one JSON document for machines."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import singledispatch
from itertools import accumulate
from typing import IO, Any, cast

from django.core.management.base import OutputWrapper
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.states import Status

COLOURS: dict[str, str] = {
    Status.IN_PROGRESS: "cyan",
    Status.COMPLETED: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "yellow",
}
WHOLE = ("id",)  # to be copied from the screen
ID_WIDTH = 36
GAP = 2  # between columns
WIDE = 160  # where nobody sees the width: a pipe, a file


class Output:
    """Where and how a command answers. Colours only on a terminal."""

    def __init__(self, stream: OutputWrapper, *, as_json: bool) -> None:
        stream.ending = ""  # whole lines come here
        self._stream = stream
        self.as_json = as_json
        width = None if stream.isatty() else WIDE
        self._console = Console(file=cast("IO[str]", stream), width=width, emoji=False)

    def rows(
        self,
        columns: Sequence[str],
        rows: Sequence[Mapping[str, Any]],
        *,
        least: int | None = None,
    ) -> None:
        """Many things of a kind; `columns` are the keys that the table shows.

        least: on a narrow screen leave out the last columns, but for so many; None: leave out none.
        """
        if self.as_json:
            self.document(list(rows))
            return
        table = Table(box=None, pad_edge=False)
        if least is not None:
            columns = self._fitting(columns, rows, least)
        for column in columns:
            title, whole = column.replace("_", " "), column in WHOLE
            table.add_column(title, no_wrap=whole, min_width=ID_WIDTH if whole else None)
        for row in rows:
            table.add_row(*[_cell(row[column]) for column in columns])
        self._console.print(table if rows else "Nothing.")

    def _fitting(
        self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], least: int
    ) -> Sequence[str]:
        widths = [
            max(len(column), *(_cell(row[column]).cell_len for row in rows), 0) + GAP
            for column in columns
        ]
        fitting = sum(width <= self._console.width + GAP for width in accumulate(widths))
        return columns[: max(least, fitting)]

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


@singledispatch
def _cell(value: Any) -> Text:
    """Text as it is: names that users chose are no markup, and no control codes either."""
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return Text(text, style=COLOURS.get(text, "")) if text else _cell(None)


@_cell.register
def _(value: None) -> Text:
    return Text("-", style="dim")


@_cell.register
def _(value: bool) -> Text:
    return Text("yes" if value else "no")


@_cell.register
def _(value: float) -> Text:
    return Text(f"{value:.3g}" if value < 1 else f"{value:.1f}")


@_cell.register
def _(value: datetime) -> Text:
    return Text(timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S"))


@_cell.register(list)
@_cell.register(dict)
def _(value: Any) -> Text:
    return Text(json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=True))
