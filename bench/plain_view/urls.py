"""POST orders."""

from typing import ClassVar

from django.urls import path
from rest_framework import generics, serializers

from bench.plain_view.models import Order


class OrderSerializer(serializers.ModelSerializer[Order]):
    """All fields."""

    class Meta:
        model = Order
        fields: ClassVar = ["id", "source_file", "target_format", "priority", "created_at"]


class Orders(generics.CreateAPIView[Order]):
    """As the tutorial has it."""

    queryset = Order._default_manager.all()
    serializer_class = OrderSerializer


urlpatterns = [path("orders", Orders.as_view())]
