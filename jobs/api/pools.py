"""For staff: GET pools, POST pools/{pool}/pause, POST pools/{pool}/resume."""

from typing import Any, ClassVar

from django.conf import settings
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import ADMIN
from jobs.api.fields import Moment, StrictSerializer, TextField
from jobs.api.ownership import actor_of
from jobs.priorities import Pool, parse_pools
from jobs.queue.pause import pause, paused, resume


class ReasonSerializer(StrictSerializer):
    """Why a pool is paused."""

    reason = TextField(max_length=200, default="", allow_blank=True)


class Pools(APIView):
    """GET pools: which priorities each serves, and whether it is paused."""

    scopes: ClassVar = {"GET": ADMIN}
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute

    def get(self, request: Request) -> Response:
        """Answer 200."""
        return Response({"pools": [_shown(pool) for pool in parse_pools(settings.POOLS).values()]})


class PausePool(APIView):
    """POST pools/{pool}/pause."""

    scopes: ClassVar = {"POST": ADMIN}
    http_method_names = ["post"]  # noqa: RUF012

    def post(self, request: Request, pool: str) -> Response:
        """Answer 200 with the pool, which claims no more; what runs goes on to its end."""
        known = _pool(pool)
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        pause(known.name, actor=actor_of(request), reason=asked.validated_data["reason"])
        return Response(_shown(known))


class ResumePool(APIView):
    """POST pools/{pool}/resume."""

    scopes: ClassVar = {"POST": ADMIN}
    http_method_names = ["post"]  # noqa: RUF012

    def post(self, request: Request, pool: str) -> Response:
        """Answer 200 with the pool, which claims again."""
        known = _pool(pool)
        resume(known.name)
        return Response(_shown(known))


def _pool(name: str) -> Pool:
    try:
        return parse_pools(settings.POOLS)[name]
    except KeyError:
        raise NotFound("No pool has this name.") from None


def _shown(pool: Pool) -> dict[str, Any]:
    rest = paused().get(pool.name)
    return {
        "name": pool.name,
        "lowest_priority": pool.lowest,
        "highest_priority": pool.highest,
        "threads": pool.threads,
        "paused": rest is not None,
        "paused_at": Moment().to_representation(rest.paused_at) if rest else None,
        "paused_by": rest.paused_by if rest else None,
        "reason": rest.reason if rest else None,
    }
