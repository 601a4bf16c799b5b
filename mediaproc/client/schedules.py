"""Jobs that are submitted again and again."""

from collections.abc import Iterator
from typing import Any

from mediaproc.client.creating import body, create, segment
from mediaproc.client.shapes import Schedule
from mediaproc.client.transport import Transport


class Schedules:
    """The schedules of the account. A schedule is given by its id."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, name: str, cron: str, **job: Any) -> Schedule:
        """A new one. `job`: time_zone, missed_runs, and the fields of its jobs."""
        return Schedule.read(
            create(self._transport, "schedules", body(name=name, cron=cron, **job))
        )

    def list(self) -> Iterator[Schedule]:
        """All of them, newest first. Pages are asked for as they are needed."""
        for page in self._transport.pages("schedules"):
            yield from map(Schedule.read, page["results"])

    def get(self, schedule_id: str) -> Schedule:
        """One."""
        return self._one("GET", schedule_id)

    def update(self, schedule_id: str, **changes: Any) -> Schedule:
        """Change what is given."""
        return self._one("PATCH", schedule_id, json=body(**changes))

    def pause(self, schedule_id: str) -> Schedule:
        """It fires no more."""
        return self._one("POST", schedule_id, "/pause")

    def resume(self, schedule_id: str) -> Schedule:
        """It fires again."""
        return self._one("POST", schedule_id, "/resume")

    def remove(self, schedule_id: str) -> None:
        """Remove it; the jobs that it made stay."""
        self._transport.request("DELETE", f"schedules/{segment(schedule_id)}")

    def _one(self, method: str, schedule_id: str, action: str = "", **options: Any) -> Schedule:
        path = f"schedules/{segment(schedule_id)}{action}"
        return Schedule.read(self._transport.ask(method, path, **options))
