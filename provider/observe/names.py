"""The names that DNS is asked for, and how a name server is written. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from registry.names import canonical_host, is_address
from registry.schema import Environment
from registry.upstream import hostnames_of

_PORT_MAX = 65535


def names_to_look_up(environments: Iterable[Environment]) -> tuple[str, ...]:
    """The canonical host names of all that is not retired, each once, in order.

    `host.hostname` and the host names of the router, planned ones too; wildcards as they stand.
    """
    names: dict[str, None] = {}
    for environment in environments:
        if environment.lifecycle.state != "retired":
            names[canonical_host(environment.host.hostname)] = None
            if environment.router is not None:
                names |= dict.fromkeys(hostnames_of(environment.router, environment.host))
    return tuple(names)


def name_server(text: str) -> tuple[str, int]:
    """`192.0.2.1:53` or `[2001:db8::1]:53` as address and port. Raises ValueError.

    An address: to find the name server by a name, one would need another.
    """
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    address = host[1:-1] if bracketed else host
    if not is_address(address) or "[" in address or bracketed is not (":" in address):
        raise ValueError(f"{text!r} is not an address and a port such as 192.0.2.1:53 or [::1]:53")
    if not (port.isascii() and port.isdigit()) or not 0 < int(port) <= _PORT_MAX:
        raise ValueError(f"{text!r} has no port from 1 to {_PORT_MAX}")
    return address, int(port)
