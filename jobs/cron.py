"""When a cron expression fires in a time zone. Knows nothing of rows.

Clocks that are changed are met as Debian's cron does it. An expression whose minute and hour are
both fixed (neither begins with `*`) means a time of day: one that does not exist fires once, right
after the gap; one that exists twice fires the first time. Any other expression means real time: it
fires in both hours of a doubled one, and not at all in hours that do not exist.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

FIELDS = 5
FINEST = timedelta(minutes=1)  # an expression never fires more often
_INSTANT = timedelta(microseconds=1)

# What the machine is set to, or nothing: no time zone that says the same everywhere.
_NOT_ZONES = {"localtime", "Factory"}


class BadCron(ValueError):
    """The text is no cron expression, or one that never fires."""


class BadTimeZone(ValueError):
    """There is no such time zone."""


@dataclass(frozen=True, slots=True)
class Cron:
    """An expression of five fields in a time zone. Make it with `parse_cron`.

    All moments that go in have a zone; those that come out are in UTC.
    """

    expression: str
    zone: ZoneInfo

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Every moment at which it fires, strictly later and in order. Ends when there is none for
        fifty years."""
        last = moment
        for local in CronSim(self.expression, moment.astimezone(self.zone)):
            fires_at = local.astimezone(UTC)
            # Begun in the second of two equal hours, the first one comes back.
            if fires_at > last:
                last = fires_at
                yield fires_at

    def next_after(self, moment: datetime) -> datetime | None:
        """The first of them."""
        return next(self.after(moment), None)

    def newest(self, since: datetime, until: datetime, most: int) -> list[datetime]:
        """The newest `most` moments from `since` to `until`, both included, in order.

        Costs no more than some twenty times `most` steps, however many moments there are.
        """
        earliest, latest = since - _INSTANT, until
        if len(found := self._between(earliest, until, most + 1)) <= most:
            return found
        while latest - earliest > FINEST:
            middle = earliest + (latest - earliest) / 2
            if len(self._between(middle, until, most)) == most:
                earliest = middle
            else:
                latest = middle
        return self._between(earliest, until, most + 1)[-most:]

    def _between(self, after: datetime, until: datetime, most: int) -> list[datetime]:
        return list(islice(takewhile(lambda at: at <= until, self.after(after)), most))


def parse_cron(expression: str, time_zone: str) -> Cron:
    """Read both. Raises BadCron or BadTimeZone, with a message for people."""
    cron = Cron(_checked(expression), _zone(time_zone))
    if cron.next_after(datetime.now(UTC)) is None:
        raise BadCron(f"{expression!r} does not fire within fifty years: there is no such day.")
    return cron


def _checked(expression: str) -> str:
    fields = expression.split()
    if len(fields) != FIELDS:
        raise BadCron(
            f"A cron expression has five fields (minute, hour, day of month, month, day of week),"
            f" not {len(fields)}. For example: 30 2 * * mon-fri."
        )
    try:
        CronSim(expression, datetime.now(UTC))
    except CronSimError as error:
        raise BadCron(f"{expression!r} cannot be read: {str(error).lower()} field.") from None
    return expression


def _zone(name: str) -> ZoneInfo:
    if name in _zones():
        return ZoneInfo(name)
    near = get_close_matches(name, _zones(), 1)
    hint = f" Did you mean {near[0]}?" if near else " For example: Europe/Berlin, or UTC."
    raise BadTimeZone(f"There is no time zone {name!r}.{hint}")


@cache
def _zones() -> frozenset[str]:
    """Read from disk, and hence once."""
    return frozenset(available_timezones() - _NOT_ZONES)
