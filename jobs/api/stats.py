"""Numbers of one's jobs, for staff of all; none is counted in the table of jobs."""

from dataclasses import asdict
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import READ
from jobs.api.fields import Moment, StrictSerializer
from jobs.api.ownership import counted_owner
from jobs.api.pages import filters_of
from jobs.stats.statistics import counts, statistics

MOST_HOURS = 90 * 24.0


class WindowSerializer(StrictSerializer):
    """How far back."""

    hours = serializers.FloatField(min_value=1 / 60, max_value=MOST_HOURS, default=24.0)


class JobCounts(APIView):
    """GET jobs/stats/counts: jobs by status."""

    scopes: ClassVar = {"GET": READ}
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute

    def get(self, request: Request) -> Response:
        """Answer 200; `exactness` is exact, estimated or at_least."""
        return Response(_counts(request))


class JobStatistics(APIView):
    """GET jobs/stats: counts; rates, waits and runs of the last hours, in all, by pool and type."""

    scopes: ClassVar = {"GET": READ}
    http_method_names = ["get", "head"]  # noqa: RUF012

    def get(self, request: Request) -> Response:
        """Answer 200; the parameter `hours` says how far back, 24 without it."""
        asked = WindowSerializer(data=filters_of(request))
        asked.is_valid(raise_exception=True)
        found = statistics(asked.validated_data["hours"] * 3600, owner=counted_owner(request))
        return Response(
            {
                "counts": _counts(request),
                "since": Moment().to_representation(found.since),
                "up_to": Moment().to_representation(found.up_to),
                "overall": asdict(found.overall),
                "by_pool": {name: asdict(one) for name, one in found.by_pool.items()},
                "by_type": {name: asdict(one) for name, one in found.by_type.items()},
                "oldest_waiting": found.oldest_waiting,
            }
        )


def _counts(request: Request) -> dict[str, Any]:
    found = counts(counted_owner(request))
    return {status.value: asdict(count) for status, count in found.items()}
