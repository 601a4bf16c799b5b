"""Secrets that have to be read again, encrypted with a key of the environment: who reads the
database alone has none of them.

A sealed text is base64 of the nonce and of AES-256-GCM's ciphertext with its tag.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"mediaproc.accounts.sealed"
_NONCE_BYTES = 12


class Unreadable(Exception):
    """No key of now opens it, or it was sealed for somebody else."""


def seal(secret: bytes, whose: str) -> str:
    """Encrypt with SECRET_KEY. Only `open_sealed` with the same `whose` reads it."""
    nonce = os.urandom(_NONCE_BYTES)
    key = next(_keys())
    return b64encode(nonce + key.encrypt(nonce, secret, whose.encode())).decode()


def open_sealed(sealed: str, whose: str) -> bytes:
    """Decrypt what SECRET_KEY or one of SECRET_KEY_FALLBACKS sealed. Raises Unreadable."""
    try:
        stored = b64decode(sealed, validate=True)
    except ValueError:
        raise Unreadable from None
    nonce, ciphertext = stored[:_NONCE_BYTES], stored[_NONCE_BYTES:]
    for key in _keys():
        try:
            return key.decrypt(nonce, ciphertext, whose.encode())
        except (InvalidTag, ValueError):
            continue
    raise Unreadable


def _keys() -> Iterator[AESGCM]:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret.encode()))
