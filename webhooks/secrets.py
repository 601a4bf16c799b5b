"""The secrets that sign. None is stored: each is made of SECRET_KEY and a number in its row.

So whoever reads the database, or a copy of it, can sign nothing.
"""

import secrets
from base64 import b64encode

from django.conf import settings
from django.utils.crypto import salted_hmac

PREFIX = "whsec_"


def new_nonce() -> str:
    """What stands in the row."""
    return secrets.token_hex(16)


def secret_of(nonce: str) -> str:
    """What its receiver keeps: `whsec_` and 32 bytes as base64."""
    return _secret(nonce, settings.SECRET_KEY)


def secrets_of(nonce: str) -> list[str]:
    """Those that sign: also of each SECRET_KEY before, while it is among the fallbacks."""
    return [_secret(nonce, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _secret(nonce: str, key: str) -> str:
    made = salted_hmac("webhooks.secrets", nonce, secret=key, algorithm="sha256").digest()
    return PREFIX + b64encode(made).decode()
