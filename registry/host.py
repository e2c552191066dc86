"""Where a stack lives, and what it exposes there."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from registry.fields import Hostname, IpAddress, Part, PortName, Text, Url


class Host(Part):
    """The machine, or cluster, that the environment runs on."""

    hostname: Hostname
    provider: Text | None = None
    region: Text | None = None
    ip: IpAddress | None = None
    notes: Text | None = None


class Port(Part):
    """One exposed service; `name` is unique in its record, since `metadata.router.port` uses it."""

    name: PortName
    port: Annotated[int, Field(ge=1, le=65535)]
    protocol: Text | None = None
    url: Url | None = None
    description: Text | None = None
