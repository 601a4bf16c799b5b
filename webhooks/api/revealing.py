"""Answers that show a secret, and can be given again though no secret is kept."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from rest_framework.request import Request
from rest_framework.response import Response

from webhooks.secrets import secret_of

View = TypeVar("View")
Rest = ParamSpec("Rest")
Handler = Callable[Concatenate[View, Request, Rest], Response]


def revealing(handler: Handler[View, Rest]) -> Handler[View, Rest]:
    """Decorate a view's `post` that answers with a nonce as `secret`: the client gets the secret
    that is made of it. Above `idempotent`, which so keeps the nonce."""

    @wraps(handler)
    def revealed(
        view: View, request: Request, /, *args: Rest.args, **kwargs: Rest.kwargs
    ) -> Response:
        response = handler(view, request, *args, **kwargs)
        response.data["secret"] = secret_of(response.data["secret"])
        return response

    return revealed
