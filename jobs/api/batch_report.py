"""What became of a batch, row by row where something is wrong."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict

from jobs.api.document import FieldError

MAX_ERRORS = 100
MAX_DETAIL = 300


class RowError(TypedDict):
    """What is wrong with a row."""

    row: int
    line: int | None
    field: str | None
    code: str
    detail: str


@dataclass(slots=True)
class Report:
    """What became of a batch. errors: the first hundred."""

    accepted: int = 0
    rejected: int = 0
    total: int = 0
    errors: list[RowError] = field(default_factory=list)
    errors_truncated: bool = False

    def refuse(self, row: int, line: int | None, errors: Iterable[FieldError]) -> None:
        """Count a row that no job was made of."""
        self.rejected += 1
        for error in errors:
            if len(self.errors) == MAX_ERRORS:
                self.errors_truncated = True
                return
            detail = error["detail"][:MAX_DETAIL]
            self.errors.append(
                RowError(
                    row=row, line=line, field=error["field"], code=error["code"], detail=detail
                )
            )

    def as_json(self) -> dict[str, Any]:
        """For answers and results."""
        return asdict(self)


class InvalidRows(Exception):
    """No job was made, because of these rows."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"{report.rejected} of {report.total} rows are not valid.")
        self.report = report
