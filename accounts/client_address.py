"""From where a request comes: for locks, throttles and logs alike."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of the connection; where that is a trusted proxy's, the last one in
    X-Forwarded-For that is not. What stands before that, the client may have made up."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    said = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    while said and _is_trusted(address):
        before = said.pop().strip()
        if not _is_address(before):
            break
        address = before
    return address


def _is_trusted(address: str) -> bool:
    if not _is_address(address):
        return False
    return any(ip_address(address) in ip_network(proxy) for proxy in settings.TRUSTED_PROXIES)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
