"""The log of deliveries."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import READ, SUBMIT
from jobs.api.fields import IdField, StrictSerializer
from jobs.api.idempotency import idempotent
from jobs.api.pages import filters_of
from webhooks.api.answers import DeliveryPage
from webhooks.api.ownership import deliveries_of, delivery_of
from webhooks.api.serializers import DeliverySerializer, FullDeliverySerializer
from webhooks.deliveries import StillPending, replay
from webhooks.models import Delivery

PAGE = 50


class PageSerializer(StrictSerializer):
    """The parameters of a list. before: the last id of the page before."""

    status = serializers.ChoiceField(choices=Delivery.Status.values, required=False)
    job = IdField(required=False)
    before = IdField(required=False)


class Deliveries(APIView):
    """GET webhooks/deliveries: all of one's own, also those to a callback_url."""

    scopes: ClassVar = {"GET": READ}
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(parameters=[PageSerializer], responses=DeliveryPage)
    def get(self, request: Request) -> Response:
        """Answer 200 with a page, newest first."""
        return page_of(request, deliveries_of(request))


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


def page_of(request: Request, deliveries: QuerySet[Delivery]) -> Response:
    """A page of these, and the address of the next one or null."""
    asked = PageSerializer(data=filters_of(request))
    asked.is_valid(raise_exception=True)
    values: dict[str, Any] = asked.validated_data
    if "status" in values:
        deliveries = deliveries.filter(status=values["status"])
    if "job" in values:
        deliveries = deliveries.filter(job_id=values["job"])
    if "before" in values:
        deliveries = deliveries.filter(id__lt=values["before"])
    found = list(deliveries.order_by("-id")[: PAGE + 1])
    following = None
    if len(found) > PAGE:
        parameters = request.query_params.copy()
        parameters["before"] = str(found[PAGE - 1].id)
        following = f"{request.path}?{parameters.urlencode()}"
    results = [DeliverySerializer(one).data for one in found[:PAGE]]
    return Response({"results": results, "next": following})
