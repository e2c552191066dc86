"""Where a stack lives, and what it exposes there."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from registry.fields import PART, Hostname, IpAddress, PortName, Text, Url


@dataclass(config=PART, frozen=True, kw_only=True, slots=True)
class Host:
    """The machine, or cluster, that the environment runs on."""

    hostname: Hostname
    provider: Text | None = None
    region: Text | None = None
    ip: IpAddress | None = None
    notes: Text | None = None


@dataclass(config=PART, frozen=True, kw_only=True, slots=True)
class Port:
    """One exposed service; `name` is unique in its record, since `metadata.router.port` uses it."""

    name: PortName
    port: Annotated[int, Field(strict=True, ge=1, le=65535)]
    protocol: Text | None = None
    url: Url | None = None
    description: Text | None = None
