"""For staff: what is done to many jobs at once, and the reasons of those that FAILED."""

from collections.abc import Callable
from dataclasses import asdict
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import ADMIN
from jobs.api.answers import Reasons, Replayed, Retried
from jobs.api.idempotency import idempotent
from jobs.api.ownership import actor_of
from jobs.api.pages import filters_of
from jobs.api.selection import BulkSerializer, SelectionSerializer
from jobs.queue.dead_letter import reasons, replay_where, retry_where


class DeadLetter(APIView):
    """GET jobs/dead-letter: FAILED jobs by type and error code, the most frequent first."""

    scopes: ClassVar = {"GET": ADMIN}
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(parameters=[SelectionSerializer], responses=Reasons)
    def get(self, request: Request) -> Response:
        """Answer 200; the filters are those of the list."""
        asked = SelectionSerializer(data=filters_of(request))
        asked.is_valid(raise_exception=True)
        return Response({"reasons": [asdict(one) for one in reasons(asked.selection())]})


class RetryJobs(APIView):
    """POST jobs/retry: those of a selection that FAILED or were CANCELLED run again."""

    scopes: ClassVar = {"POST": ADMIN}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=BulkSerializer, responses=Retried)
    def post(self, request: Request) -> Response:
        """Answer 200 with how many; jobs in other states are passed over."""
        return _changed(request, "retried", retry_where)


class ReplayJobs(APIView):
    """POST jobs/replay: a new job like each final one of a selection."""

    scopes: ClassVar = {"POST": ADMIN}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=BulkSerializer, responses=Replayed)
    @idempotent
    def post(self, request: Request) -> Response:
        """Answer 200 with how many; jobs that are not final are passed over."""
        return _changed(request, "replayed", replay_where)


def _changed(request: Request, name: str, change: Callable[..., int]) -> Response:
    asked = BulkSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return Response({name: change(asked.selection(), actor=actor_of(request))})
