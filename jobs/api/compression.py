"""Long JSON answers travel compressed."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

SMALLEST = 1024


class CompressionMiddleware(GZipMiddleware):
    """gzip for JSON that answers a GET.

    BREACH guesses a secret of an answer from its compressed length, where the answer also echoes
    what the attacker chose. Secrets (tokens, keys of webhooks) are shown once, in the answer to the
    POST that made them: those are never compressed. Django adds random bytes to the rest.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """The answer, compressed where that is worth it."""
        worth_it = (
            request.method == "GET"
            and isinstance(response, HttpResponse)
            and response.headers.get("Content-Type", "").partition(";")[0].endswith("json")
            and len(response.content) >= SMALLEST
        )
        return super().process_response(request, response) if worth_it else response
