"""Standard output: a table for people, one JSON document for machines."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import IO, Any, cast

from django.core.management.base import OutputWrapper
from django.core.serializers.json import DjangoJSONEncoder
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.console.cells import cell, clean_lines

GAP = 2  # between columns
UNBOUNDED = 10_000  # a pipe or a file has no edge: one row a line


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. key: of the rows. whole: never cut, to be copied from the screen."""

    key: str
    show: Callable[[Any], Text] = cell
    title: str | None = None
    whole: bool = False

    @property
    def header(self) -> str:
        """What stands above it."""
        return self.title or self.key.replace("_", " ")


def plain(*keys: str) -> tuple[Column, ...]:
    """Columns that show their values as they are."""
    return tuple(Column(key) for key in keys)


class Output:
    """Where and how a command answers.

    Colours only on a terminal, and not with `colours=False` or NO_COLOR in the environment.
    """

    def __init__(self, stream: OutputWrapper, *, as_json: bool, colours: bool = True) -> None:
        stream.ending = ""  # whole lines come here
        self._stream = stream
        self.as_json = as_json
        self._console = Console(
            file=cast("IO[str]", stream),
            width=None if stream.isatty() else UNBOUNDED,
            color_system="auto" if colours and not os.environ.get("NO_COLOR") else None,
            emoji=False,
        )

    def rows(
        self,
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Any]],
        *,
        least: int | None = None,
    ) -> None:
        """Many things of a kind.

        least: on a narrow screen leave out the last columns, but for so many; None: leave out none.
        """
        if self.as_json:
            self.document(list(rows))
            return
        if not rows:
            self.said("Nothing.")
            return
        if least is not None:
            columns = columns[: max(least, self._fitting(columns, rows))]
        table = Table(box=None, pad_edge=False)
        for column in columns:
            width = _width(column, rows) if column.whole else None
            table.add_column(column.header, no_wrap=column.whole, min_width=width)
        for row in rows:
            table.add_row(*[column.show(row[column.key]) for column in columns])
        self._print(table)

    def _fitting(self, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> int:
        widths = [_width(column, rows) + GAP for column in columns]
        return sum(width <= self._console.width + GAP for width in accumulate(widths))

    def fields(self, columns: Sequence[Column], values: Mapping[str, Any]) -> None:
        """One thing, for people; what is empty is left out."""
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for column in columns:
            value = values.get(column.key)
            if value not in (None, "", {}):
                table.add_row(column.header, column.show(value))
        self._print(table)

    def said(self, sentence: str, **values: Any) -> None:
        """What was done: a sentence, or its values."""
        if self.as_json:
            self.document(values)
        else:
            self._print(Text(clean_lines(sentence)))

    def heading(self, text: str) -> None:
        """What comes next, for people."""
        self._print(Text(f"\n{text}", style="bold"))

    def line(self, columns: Sequence[Column], values: Mapping[str, Any]) -> None:
        """One of a stream: a line each, as JSON or as text."""
        if self.as_json:
            self._stream.write(json.dumps(values, cls=DjangoJSONEncoder) + "\n")
        else:
            shown = Text("  ").join(column.show(values[column.key]) for column in columns)
            self._print(shown)
        self._stream.flush()

    def document(self, value: Any) -> None:
        """JSON."""
        self._stream.write(json.dumps(value, cls=DjangoJSONEncoder, indent=2) + "\n")

    def _print(self, shown: Table | Text) -> None:
        """Without the spaces that fill a table's last column; sentences are the terminal's to wrap.

        rich itself would end the process when nobody reads any more.
        """
        with self._console.capture() as captured:
            self._console.print(shown, soft_wrap=isinstance(shown, Text))
        for line in captured.get().splitlines():
            self._stream.write(line.rstrip() + "\n")


def _width(column: Column, rows: Sequence[Mapping[str, Any]]) -> int:
    cells = (column.show(row[column.key]).cell_len for row in rows)
    return max(len(column.header), *cells)
