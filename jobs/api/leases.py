"""What remote workers ask for: jobs, now or in a while."""

import re
import socket
from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import WORK
from jobs.api.lease_answers import LeasedJobs
from jobs.api.lease_serializers import WantedSerializer, lease_terms, leased_job
from jobs.api.ownership import user_id_of
from jobs.api.throttles import WorkThrottle
from jobs.remote import presence
from jobs.remote.leasing import Wanted, lease

PROTOCOL = 1
LONGEST_WAIT_SECONDS = 30.0
_WAIT = re.compile(r"(?:^|[,;])\s*wait=(\d{1,6})\s*(?:$|[,;])", re.ASCII)

_PREFER = OpenApiParameter(
    "Prefer", str, OpenApiParameter.HEADER, description="`wait=20`: up to 30 seconds for a job."
)


class Outdated(APIException):
    """The worker speaks another version of this protocol."""

    status_code = 409
    default_code = "upgrade_required"
    default_detail = f"This service speaks version {PROTOCOL} of the workers' protocol."


class LeaseJobs(APIView):
    """POST jobs/lease: jobs to work on, now or within the time of `Prefer: wait=N`."""

    http_method_names = ["post"]  # noqa: RUF012 - Django's own attribute
    scopes: ClassVar = {"POST": WORK}
    throttle_classes = (WorkThrottle,)

    @extend_schema(
        request=WantedSerializer, parameters=[_PREFER], responses={200: LeasedJobs, 204: None}
    )
    def post(self, request: Request) -> Response:
        """Answer 200 with jobs, or with what operators want of the worker; 204 when there are none;
        409 for another version of the protocol. `count` 0 is a goodbye."""
        asked = WantedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        body = asked.validated_data
        if body["version"] != PROTOCOL:
            raise Outdated
        user_id = user_id_of(request)
        worker_id = presence.worker_id(user_id, body["name"])
        if not body["count"]:
            presence.gone(worker_id)
            return Response(status=204)
        wanted = Wanted(
            worker_id=worker_id,
            name=body["name"],
            version=f"remote {body['version']}",
            pool=body["pool"],
            types=body["types"],
            count=body["count"],
            owner_id=_only_jobs_of(request),
        )
        wait = _wait(request)
        offer = lease(wanted, wait, _hung_up(request))
        headers = {"Preference-Applied": f"wait={wait:g}"} if wait and offer.waited else {}
        if not (offer.attempts or any(offer.wishes)):
            return Response(status=204, headers=headers)
        jobs = [leased_job(one, worker_id, user_id) for one in offer.attempts]
        body = {"jobs": jobs, **lease_terms(), **offer.wishes._asdict()}
        return Response(body, headers=headers)


def _only_jobs_of(request: Request) -> int | None:
    """Whose jobs the worker may see: those of its own user, and everybody's only where that is one
    of the staff."""
    user: Any = request.user
    return None if user.is_staff else user_id_of(request)


def _wait(request: Request) -> float:
    match = _WAIT.search(request.headers.get("Prefer", ""))
    return min(float(match[1]), LONGEST_WAIT_SECONDS) if match else 0.0


def _hung_up(request: Request) -> Callable[[], bool]:
    """Whether the client has closed the connection: what is claimed for it then would be lost."""
    connection: Any = request.META.get("gunicorn.socket")

    def hung_up() -> bool:
        try:
            return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
        except (BlockingIOError, ValueError):  # all is quiet; TLS cannot be looked at so
            return False
        except OSError:
            return True

    return hung_up if isinstance(connection, socket.socket) else lambda: False
