"""Which addresses a probe may contact. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds answer who they take for their own machine: EC2 (IPv6), Google (IPv6), Alibaba,
# Azure, Oracle. Their usual 169.254.169.254 is link-local.
_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    )
)
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")  # RFC 1122, 3.2.1.3
_BROADCAST = ipaddress.ip_address("255.255.255.255")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")  # RFC 8215
_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, 2.5.5.1
_ISATAP = 0x00005EFE  # RFC 5214, 6.1


def parsed(text: str) -> Address:
    """An address without its zone. Raises ValueError."""
    return ipaddress.ip_address(text.partition("%")[0])


def refusal(
    host: str,
    address: str,
    port: int,
    forbidden: Mapping[tuple[str, int], str],
    *,
    public_only: bool,
) -> str | None:
    """Why a probe does not go to this address of this host; None where it may.

    `forbidden` is that of `Rules.forbidden_upstreams`: loopback counts as `localhost` there.
    """
    every = [*_spellings(parsed(address))]
    for each in every:
        kind = _never(each)
        if kind is not None:
            return f"{address} is {kind}, which is never asked"
    local = any(each.is_loopback for each in every)
    for name in (host, *map(str, every), *(["localhost"] if local else [])):
        if (name, port) in forbidden:
            return f"{address} port {port} is {forbidden[name, port]}"
    if public_only and not all(each.is_global for each in every):
        return f"{address} is not a public address (ROUTEBOOK_PROBE_PUBLIC_ONLY)"
    return None


def _never(address: Address) -> str | None:
    kinds: Sequence[tuple[bool, str]] = (
        (address in _METADATA, "a metadata service of a cloud"),
        (address.is_link_local, "a link-local address"),
        (address.is_unspecified or address in _THIS_NETWORK, "an unspecified address"),
        (address.is_multicast, "a multicast address"),
        (address == _BROADCAST, "a broadcast address"),
    )
    return next((words for holds, words in kinds if holds), None)


def _spellings(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 addresses that an IPv6 address may lead to."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    number = int(address)
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    is_compatible = address in _COMPATIBLE and number > 0xFFFF  # `::` and `::1` are their own
    if is_compatible or address in _NAT64 or (number >> 32) & 0xFDFFFFFF == _ISATAP:
        yield ipaddress.IPv4Address(number & 0xFFFFFFFF)
    if address in _NAT64_LOCAL:  # RFC 6052, 2.2: prefixes of 48, 56, 64 and 96 bits
        yield from map(ipaddress.IPv4Address, _embedded(number))


def _embedded(number: int) -> Iterator[int]:
    """IPv4 addresses at each place where RFC 6052 puts one; bits 64 to 71 are left out."""
    without = (number >> 64) << 56 | number & ((1 << 56) - 1)
    for prefix_bits in (48, 56, 64):
        yield (without >> (120 - prefix_bits - 32)) & 0xFFFFFFFF
    yield number & 0xFFFFFFFF
