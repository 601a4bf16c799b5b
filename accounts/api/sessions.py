"""auth/me/sessions: sessions of pages."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.answers import SessionList
from accounts.api.recent_login import demand_recent_login
from accounts.models import Session
from accounts.scopes import LOGIN
from accounts.sessions import began, public_id


class Sessions(APIView):
    """GET auth/me/sessions: those that are valid."""

    scopes: ClassVar = {"GET": LOGIN}
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(responses=SessionList)
    def get(self, request: Request) -> Response:
        """Answer 200. There are few: they come on one page."""
        return Response(
            {
                "results": [
                    {
                        "id": public_id(session.session_key),
                        "began": began(session.get_decoded()),
                        "expires": session.expire_date,
                        "current": session.session_key == request._request.session.session_key,
                    }
                    for session in _sessions(request)
                ]
            }
        )


class OneSession(APIView):
    """DELETE auth/me/sessions/{id}: it ends."""

    scopes: ClassVar = {"DELETE": LOGIN}
    http_method_names = ["delete"]  # noqa: RUF012

    @extend_schema(responses={204: None})
    def delete(self, request: Request, session_id: str) -> Response:
        """Answer 204; 403 `login_again`; 404."""
        demand_recent_login(request)
        for session in _sessions(request):
            if public_id(session.session_key) == session_id:
                session.delete()
                return Response(status=204)
        raise NotFound("No session has this id.")


def _sessions(request: Request) -> Any:
    user: Any = request.user
    return Session.objects.filter(user=user, expire_date__gt=timezone.now())
