"""The addresses under webhooks."""

from django.urls import path

from webhooks.api.deliveries import Deliveries, OneDelivery, ReplayDelivery
from webhooks.api.endpoints import (
    CallbackSecrets,
    EndpointDeliveries,
    Endpoints,
    OneEndpoint,
    ReplayEndpoint,
    RotateEndpoint,
    TestEndpoint,
)

app_name = "webhooks"
urlpatterns = [
    path("", Endpoints.as_view(), name="endpoints"),
    path("/callback-secret", CallbackSecrets.as_view(), name="callback_secret"),
    path("/deliveries", Deliveries.as_view(), name="deliveries"),
    path("/deliveries/<str:delivery_id>", OneDelivery.as_view(), name="delivery"),
    path("/deliveries/<str:delivery_id>/replay", ReplayDelivery.as_view(), name="replay_delivery"),
    path("/<str:endpoint_id>", OneEndpoint.as_view(), name="endpoint"),
    path("/<str:endpoint_id>/rotate", RotateEndpoint.as_view(), name="rotate"),
    path("/<str:endpoint_id>/test", TestEndpoint.as_view(), name="test"),
    path("/<str:endpoint_id>/deliveries", EndpointDeliveries.as_view(), name="endpoint_deliveries"),
    path("/<str:endpoint_id>/replay", ReplayEndpoint.as_view(), name="replay"),
]
