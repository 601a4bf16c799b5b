"""Jobs of the rows of a batch, all in one transaction."""

from collections.abc import Callable, Iterable
from itertools import islice
from uuid import UUID

from django.db import transaction
from rest_framework.exceptions import ParseError, ValidationError

from accounts.plans import Plan
from jobs.api.batch_body import CSV
from jobs.api.batch_report import InvalidRows, Report
from jobs.api.batch_rows import Row, csv_rows, json_rows
from jobs.api.job_serializers import submission_of
from jobs.api.problems import field_errors
from jobs.processors.contract import Invalid
from jobs.queue.limits import spend, stricter
from jobs.queue.submit import NewJob, submit_many
from jobs.submission import admitted

MAX_ROWS = 100_000
CHUNK = 1_000


def import_rows(
    media_type: str,
    pieces: Iterable[bytes],
    batch: UUID,
    owner_id: int | None,
    plan: Plan,
    *,
    partial: bool,
    went_on: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Make a job of every row; with `partial` of every valid one. All of them or, when this
    raises, none.

    went_on: called after every chunk; what it raises ends the import.
    Raises InvalidRows, ParseError for what is no table or array, TooManySubmissions.
    """
    rows = csv_rows(pieces) if media_type == CSV else json_rows(pieces)
    reader = _Reader(batch, owner_id, plan)
    report = reader.report
    most = stricter(MAX_ROWS, plan.largest_batch)
    with transaction.atomic():
        while chunk := list(islice(rows, CHUNK)):
            # All of them first: to check one may ask the database, which does not answer amid COPY.
            new = [job for row in chunk if (job := reader.read(row)) is not None]
            if report.total > most:
                raise ParseError(f"A batch has at most {most} rows.", "too_many_rows")
            if partial or not report.rejected:
                submit_many(new)
            went_on(report)
        if not report.accepted or (report.rejected and not partial):
            report.accepted = 0
            raise InvalidRows(report)
        spend(owner_id, report.accepted, most=plan.jobs_a_minute)
    return report


class _Reader:
    """Makes rows into jobs to be, and keeps count."""

    def __init__(self, batch: UUID, owner_id: int | None, plan: Plan) -> None:
        self.report = Report()
        self._batch = batch
        self._owner_id = owner_id
        self._plan = plan

    def read(self, row: Row) -> NewJob | None:
        """None for a row that is not valid."""
        self.report.total += 1
        if row.errors:
            self.report.refuse(row.number, row.line, row.errors)
            return None
        try:
            new = admitted(submission_of(row.values, self._owner_id, self._plan, self._batch))
        except (Invalid, ValidationError) as error:
            self.report.refuse(row.number, row.line, field_errors(error))
            return None
        self.report.accepted += 1
        return new
