"""Whose endpoints and deliveries a request is about. Another's are not there."""

from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet
from rest_framework.exceptions import NotAuthenticated, NotFound
from rest_framework.request import Request

from accounts.permissions import is_admin
from jobs.api.ownership import owner_of
from jobs.api.walks import Walk, along
from webhooks.models import Delivery, Endpoint


def account_of(request: Request) -> User:
    """Who asks. Raises NotAuthenticated: nobody in particular has no endpoints."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def endpoints_of(request: Request) -> QuerySet[Endpoint]:
    """One's own; for staff with the scope admin all."""
    endpoints = Endpoint.objects.all()
    return endpoints if is_admin(request) else endpoints.filter(owner=owner_of(request))


def deliveries_of(request: Request) -> Walk[Delivery]:
    """Likewise; without an account the callbacks of jobs without one."""
    deliveries = Delivery.objects.all()
    if is_admin(request):
        return Walk(deliveries)
    return along("owner_id", owner_of(request), deliveries)


def endpoint_of(request: Request, endpoint_id: str) -> Endpoint:
    """One of them. Raises NotFound, also for what is not an id at all."""
    try:
        return endpoints_of(request).get(id=UUID(endpoint_id))
    except (Endpoint.DoesNotExist, ValueError):
        raise NotFound("No endpoint has this id.") from None


def delivery_of(request: Request, delivery_id: str) -> Delivery:
    """One of them. Raises NotFound likewise."""
    try:
        return deliveries_of(request).rows.get(id=UUID(delivery_id))
    except (Delivery.DoesNotExist, ValueError):
        raise NotFound("No delivery has this id.") from None
