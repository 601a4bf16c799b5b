"""The OpenAPI document of the API, and the page that shows it."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

# What the page needs: its own files, and the document.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@cache
def document() -> Any:
    """The same for everybody, so it is made once a process."""
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


@extend_schema(exclude=True)
class Schema(APIView):
    """GET schema: this API in OpenAPI 3.0, as JSON or YAML."""

    public = True
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute
    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]  # noqa: RUF012

    def get(self, request: Request) -> Response:
        """Answer 200; which of them, the Accept header says."""
        return Response(document())


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The document for people. All that the page loads comes from here."""
    response = render(request, "jobs/docs.html")
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response
