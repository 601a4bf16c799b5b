"""Endpoints: where one is told of one's jobs."""

from typing import ClassVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import plan_of
from accounts.scopes import READ, SUBMIT
from jobs.api.idempotency import idempotent
from jobs.api.pages import PAGE_PARAMETERS
from jobs.api.walks import along
from webhooks import endpoints
from webhooks.api.answers import (
    CallbackSecretAnswer,
    DeliveryPage,
    EndpointPage,
    EndpointWithSecret,
    ReplayedDeliveries,
)
from webhooks.api.deliveries import FilterSerializer, log_of
from webhooks.api.ownership import account_of, endpoint_of, endpoints_of
from webhooks.api.revealing import revealing
from webhooks.api.serializers import (
    DeliverySerializer,
    EndpointBodySerializer,
    EndpointSerializer,
    ReplayBodySerializer,
)
from webhooks.deliveries import replay_since, send_test
from webhooks.models import Delivery


class Endpoints(APIView):
    """GET webhooks: one's own. POST: a new one."""

    scopes: ClassVar = {"GET": READ, "POST": SUBMIT}
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(responses=EndpointPage)
    def get(self, request: Request) -> Response:
        """Answer 200. There are few: they come on one page."""
        found = endpoints_of(request)
        return Response({"results": [EndpointSerializer(one).data for one in found], "next": None})

    @extend_schema(request=EndpointBodySerializer, responses={201: EndpointWithSecret})
    @revealing
    @idempotent
    def post(self, request: Request) -> Response:
        """Answer 201 with the endpoint and its secret, which is shown this once."""
        owner, plan = account_of(request), plan_of(request.user)
        asked = EndpointBodySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            endpoint = endpoints.create(owner, plan.webhook_endpoints, **asked.validated_data)
        except endpoints.TooManyEndpoints:
            text = f"Your plan has {plan.webhook_endpoints} endpoints."
            raise ValidationError(text, code="too_many") from None
        return Response(
            {**EndpointSerializer(endpoint).data, "secret": endpoint.nonce},
            status=201,
            headers={"Location": reverse("webhooks:endpoint", args=[endpoint.id])},
        )


class OneEndpoint(APIView):
    """GET, PATCH, DELETE webhooks/{id}."""

    scopes: ClassVar = {"GET": READ, "PATCH": SUBMIT, "DELETE": SUBMIT}
    http_method_names = ["get", "head", "patch", "delete"]  # noqa: RUF012

    @extend_schema(responses=EndpointSerializer)
    def get(self, request: Request, endpoint_id: str) -> Response:
        """Answer 200, or 404."""
        return Response(EndpointSerializer(endpoint_of(request, endpoint_id)).data)

    @extend_schema(request=EndpointBodySerializer, responses=EndpointSerializer)
    def patch(self, request: Request, endpoint_id: str) -> Response:
        """Answer 200 with the endpoint as it is now. What is not given stays."""
        endpoint = endpoint_of(request, endpoint_id)
        asked = EndpointBodySerializer(endpoint, data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        endpoints.update(endpoint, **asked.validated_data)
        return Response(EndpointSerializer(endpoint).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, endpoint_id: str) -> Response:
        """Answer 204: it is gone, and its log with it."""
        endpoints.delete(endpoint_of(request, endpoint_id))
        return Response(status=204)


class RotateEndpoint(APIView):
    """POST webhooks/{id}/rotate: a new secret."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses=EndpointWithSecret)
    @revealing
    @idempotent
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Answer 200 with the new secret; the old one signs beside it until `old_secret_until`."""
        endpoint = endpoint_of(request, endpoint_id)
        endpoints.rotate(endpoint)
        return Response({**EndpointSerializer(endpoint).data, "secret": endpoint.nonce})


class TestEndpoint(APIView):
    """POST webhooks/{id}/test: an event `webhook.test`."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @idempotent
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Answer 202 with the delivery; 409 for an endpoint that is disabled."""
        endpoint = endpoint_of(request, endpoint_id)
        _check_enabled(endpoint.enabled)
        return Response(DeliverySerializer(send_test(endpoint)).data, status=202)


class EndpointDeliveries(APIView):
    """GET webhooks/{id}/deliveries: its log."""

    scopes: ClassVar = {"GET": READ}
    http_method_names = ["get", "head"]  # noqa: RUF012

    @extend_schema(parameters=[FilterSerializer, *PAGE_PARAMETERS], responses=DeliveryPage)
    def get(self, request: Request, endpoint_id: str) -> Response:
        """Answer 200 with a page, and the addresses of those beside it; also as Link."""
        endpoint = endpoint_of(request, endpoint_id)
        return log_of(request, along("endpoint_id", endpoint.id, Delivery.objects.all()))


class ReplayEndpoint(APIView):
    """POST webhooks/{id}/replay: what was not delivered since a moment, with `delivered` all."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=ReplayBodySerializer, responses={202: ReplayedDeliveries})
    @idempotent
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Answer 202 with how many; 409 for an endpoint that is disabled."""
        endpoint = endpoint_of(request, endpoint_id)
        asked = ReplayBodySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        _check_enabled(endpoint.enabled)
        return Response({"replayed": replay_since(endpoint, **asked.validated_data)}, status=202)


class CallbackSecrets(APIView):
    """POST webhooks/callback-secret: what signs the calls to one's jobs' callback_url."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses=CallbackSecretAnswer)
    @revealing
    @idempotent
    def post(self, request: Request) -> Response:
        """Answer 200 with a secret: the first one, or a new one, beside which the old one signs
        until `old_secret_until`."""
        own = endpoints.rotate_callbacks(account_of(request))
        return Response({"secret": own.nonce, "old_secret_until": own.old_secret_until})


class Disabled(APIException):
    """Nothing is delivered there."""

    status_code = 409
    default_code = "endpoint_disabled"
    default_detail = "This endpoint is disabled. Enable it first."


def _check_enabled(enabled: bool) -> None:
    if not enabled:
        raise Disabled
