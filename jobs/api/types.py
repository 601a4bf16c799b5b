"""Which job types there are, and what each wants."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.processors.description import describe


class JobTypes(APIView):
    """GET jobs/types: for programs that make forms, and for people who write requests."""

    public = True
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute

    def get(self, request: Request) -> Response:
        """Answer 200 with every job type; `parameters` is a JSON schema."""
        return Response({"results": describe()})
