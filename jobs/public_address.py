"""Which network addresses are of the public internet."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# What the internet routes today, without what wraps another address or is for documents.
_ROUTED = IPv6Network("2000::/3")
_NOT_ROUTED = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
# How a network without IPv4 reaches it: the last four bytes are the address.
_NAT64 = IPv6Network("64:ff9b::/96")
_RELAYS_OF_6TO4 = "192.88.99."


def is_public(text: str) -> bool:
    """Whether this IP address is one of a public server, whatever it is wrapped in."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None:
            return address in _ROUTED and not any(address in net for net in _NOT_ROUTED)
        address = inner
    return (
        address.is_global
        and not address.is_multicast
        and not str(address).startswith(_RELAYS_OF_6TO4)
    )


def numeric_address(host: str) -> str | None:
    """The address that a host is without asking anybody: 127.1 and 0x7f000001 are ones too."""
    try:
        found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return str(found[0][4][0])
