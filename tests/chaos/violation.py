"""What an audit finds."""

from typing import NamedTuple


class Violation(NamedTuple):
    """An invariant that did not hold.

    rule: its name. detail: which job, lease or worker, and how.
    """

    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"
