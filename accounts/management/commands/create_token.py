"""`manage.py create_token`: a token for a program, by whoever runs the service."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from rest_framework.exceptions import ValidationError

from accounts.api.serializers import NewTokenSerializer, check_scopes
from accounts.models import Token
from accounts.permissions import scopes_of_user
from accounts.scopes import SCOPES


class Command(BaseCommand):
    """Prints the token, which is shown this once."""

    help = "Make a token for a program of a user, who is made when there is none of this name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See --help."""
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--name", required=True, help="what it is for")
        parser.add_argument(
            "--scopes",
            default="submit,read",
            help=f"some of {','.join(SCOPES)}; default: %(default)s",
        )
        parser.add_argument("--days", type=int, default=90, help="default: 90")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        asked = NewTokenSerializer(
            data={
                "name": options["name"],
                "scopes": options["scopes"].split(","),
                "days": options["days"],
            }
        )
        try:
            asked.is_valid(raise_exception=True)
            user = User.objects.filter(
                username=options["user"]
            ).first() or User.objects.create_user(options["user"])
            check_scopes(asked.validated_data["scopes"], scopes_of_user(user))
        except ValidationError as error:
            raise CommandError(str(error.detail)) from None
        _, token = Token.objects.create(
            user,
            expiry=timedelta(days=asked.validated_data["days"]),
            name=asked.validated_data["name"],
            scopes=asked.validated_data["scopes"],
        )
        self.stdout.write(token)
