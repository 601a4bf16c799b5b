"""Where a client may have itself called back: the shape of an address.

Whether the host behind it may be reached is for whoever connects to it to decide, at that time.
"""

import re
from urllib.parse import urlsplit

from jobs.public_address import is_public, numeric_address

MAX_URL = 2000
HTTPS_PORT = 443
# What a JSON schema can say of it.
PATTERN = r"^[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9\[][!-\[\]-~]*$"
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.ASCII | re.IGNORECASE)


class BadTarget(ValueError):
    """No address to call back. The text is for people."""


def check_target(url: str, *, private: bool) -> None:
    """Raise BadTarget unless this can be called: absolute, https at port 443, without user name and
    fragment, and not an address of a network that is not public.

    private: addresses of a network of one's own are allowed, and with them plain http and any port.
    """
    schemes = ("https", "http") if private else ("https",)
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise BadTarget(f"Give an address of at most {MAX_URL} printable ASCII characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadTarget("This is no address.") from None
    if parts.scheme not in schemes:
        raise BadTarget(
            f"The address must begin with {' or '.join(f'{one}://' for one in schemes)}."
        )
    host = parts.netloc.removesuffix(f":{port}")
    if "@" in parts.netloc or parts.fragment or "\\" in url or not _HOST.fullmatch(host):
        raise BadTarget("Give a host, and neither a user name nor a fragment.")
    if private:
        return
    if port not in {None, HTTPS_PORT}:
        raise BadTarget(f"Only port {HTTPS_PORT} is called.")
    address = numeric_address(parts.hostname or "")
    if address is not None and not is_public(address):
        raise BadTarget("This address is not a public one.")
