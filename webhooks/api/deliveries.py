"""The log of deliveries."""

from dataclasses import replace
from typing import ClassVar

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import READ, SUBMIT
from jobs.api.fields import IdField, StrictSerializer
from jobs.api.idempotency import idempotent
from jobs.api.ownership import owner_of
from jobs.api.pages import PAGE_PARAMETERS, filters_of, page_of
from jobs.api.walks import Walk, by_walks
from webhooks.api.answers import DeliveryPage
from webhooks.api.ownership import deliveries_of, delivery_of
from webhooks.api.serializers import DeliverySerializer, FullDeliverySerializer
from webhooks.deliveries import StillPending, replay
from webhooks.models import Delivery

_COLUMNS = {"status": "status", "job": "job_id"}


class FilterSerializer(StrictSerializer):
    """The filters of a list."""

    status = serializers.ChoiceField(choices=Delivery.Status.values, required=False)
    job = IdField(required=False)


class Deliveries(APIView):
    """GET webhooks/deliveries: all of one's own, also those to a callback_url."""

    scopes: ClassVar = {"GET": READ}
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(parameters=[FilterSerializer, *PAGE_PARAMETERS], responses=DeliveryPage)
    def get(self, request: Request) -> Response:
        """Answer 200 with a page, and the addresses of those beside it; also as Link."""
        return log_of(request, deliveries_of(request))


class OneDelivery(APIView):
    """GET webhooks/deliveries/{id}: what was sent, and every attempt."""

    scopes: ClassVar = {"GET": READ}
    http_method_names = ["get", "head"]  # noqa: RUF012

    @extend_schema(responses=FullDeliverySerializer)
    def get(self, request: Request, delivery_id: str) -> Response:
        """Answer 200, or 404."""
        return Response(FullDeliverySerializer(delivery_of(request, delivery_id)).data)


class ReplayDelivery(APIView):
    """POST webhooks/deliveries/{id}/replay: once more, with the same id."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @idempotent
    def post(self, request: Request, delivery_id: str) -> Response:
        """Answer 202; 409 while it is still tried."""
        try:
            delivery = replay(delivery_of(request, delivery_id).id)
        except StillPending:
            raise Pending from None
        return Response(DeliverySerializer(delivery).data, status=202)


class Pending(APIException):
    """Nothing to repeat yet."""

    status_code = 409
    default_code = "still_pending"
    default_detail = "This is still being delivered."


def log_of(request: Request, deliveries: Walk[Delivery]) -> Response:
    """A page of these, with the addresses of those beside it."""
    asked = FilterSerializer(data=filters_of(request))
    asked.is_valid(raise_exception=True)
    rest = Q(**{_COLUMNS[name]: value for name, value in asked.validated_data.items()})
    with by_walks():
        page = page_of(request, [replace(deliveries, rest=rest)], owner_of(request))
    return page.response(results=[DeliverySerializer(one).data for one in page.rows])
