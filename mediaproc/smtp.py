"""Django's way to a mail server, with the name and password of now."""

from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends import smtp

from jobs.secret_files import current
from mediaproc.mail import read_address


class EmailBackend(smtp.EmailBackend):
    """Where they stand in a file, each new connection reads it."""

    def open(self) -> Any:
        """Raises SMTPException where the file cannot be read: mail is tried again."""
        try:
            if "EMAIL_URL" in settings.SECRET_FILES:
                server = read_address(current("EMAIL_URL"))
                self.username, self.password = server.user, server.password
            elif "EMAIL_HOST_PASSWORD" in settings.SECRET_FILES:
                self.password = current("EMAIL_HOST_PASSWORD")
        except ImproperlyConfigured as error:
            raise SMTPException(str(error)) from error
        return super().open()
