"""auth/me/tokens: tokens with a name, for programs."""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.answers import NewToken, TokenList
from accounts.api.recent_login import demand_recent_login
from accounts.api.serializers import NewTokenSerializer, TokenSerializer, check_scopes
from accounts.models import Token
from accounts.permissions import scopes_of
from accounts.scopes import LOGIN

MOST_TOKENS = 50


class Tokens(APIView):
    """GET auth/me/tokens: those that are valid. POST: a new one."""

    scopes: ClassVar = {"GET": LOGIN, "POST": LOGIN}
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(responses=TokenList)
    def get(self, request: Request) -> Response:
        """Answer 200. There are few: they come on one page."""
        return Response({"results": TokenSerializer(_tokens(request), many=True).data})

    @extend_schema(request=NewTokenSerializer, responses={201: NewToken})
    def post(self, request: Request) -> Response:
        """Answer 201 with the token, which is shown this once."""
        asked = NewTokenSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = asked.validated_data
        user: Any = request.user
        check_scopes(values["scopes"], scopes_of(request))
        if _tokens(request).count() >= MOST_TOKENS:
            raise ValidationError(f"There are {MOST_TOKENS} tokens already.", code="too_many")
        row, token = Token.objects.create(
            user,
            expiry=timedelta(days=values["days"]),
            name=values["name"],
            scopes=values["scopes"],
        )
        return Response(
            {"token": token, **TokenSerializer(row).data},
            status=201,
            headers={"Location": reverse("auth:token", args=[row.id])},
        )


class OneToken(APIView):
    """DELETE auth/me/tokens/{id}: it ends."""

    scopes: ClassVar = {"DELETE": LOGIN}
    http_method_names = ["delete"]  # noqa: RUF012

    @extend_schema(responses={204: None})
    def delete(self, request: Request, token_id: str) -> Response:
        """Answer 204; 403 `login_again`; 404."""
        demand_recent_login(request)
        try:
            deleted, _ = _tokens(request).filter(id=UUID(token_id)).delete()
        except ValueError:
            deleted = 0
        if not deleted:
            raise NotFound("No token has this id.")
        return Response(status=204)


def _tokens(request: Request) -> Any:
    alive = Q(expiry__isnull=True) | Q(expiry__gt=timezone.now())
    return Token.objects.filter(alive, user_id=request.user.pk)
