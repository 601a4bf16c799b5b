"""`manage.py second_factor`: give an account a second factor, or take a lost one away."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from accounts import second_factor


class Command(BaseCommand):
    """For whoever runs the service: he has to be sure by himself who asks him."""

    help = "Set up the second factor of an account, at its owner's side; --remove a lost one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See --help."""
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--remove", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        if options["remove"]:
            second_factor.remove(user)
            return
        try:
            _, url = second_factor.begin(user)
            self.stdout.write(f"Let your app read this, by hand or as a QR code:\n{url}")
            codes = second_factor.confirm(user, getpass.getpass("The code that it shows: ").strip())
        except second_factor.AlreadyOn:
            raise CommandError("There is one. --remove takes it away.") from None
        if codes is None:
            raise CommandError("This is not the code of now. Nothing was changed.")
        self.stdout.write("\n".join(["Keep these. Each gets in once, without the app:", *codes]))
