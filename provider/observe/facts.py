"""What was seen of the Traefiks: values without a judgement. Pure.

Source: traefik `pkg/api/handler.go`, `pkg/api/handler_entrypoint.go`, `pkg/config/runtime`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

OUR_PROVIDER = "http"


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A static entrypoint. `port` is the one it listens on; None where the address has none.

    `tls` says that `http.tls` is set there: then each of its routers is one for TLS.
    `redirects_to` is the entrypoint or port that all plain requests are sent to.
    `middlewares` are those that every router of it runs first.
    """

    name: str
    address: str
    port: int | None
    tls: bool = False
    redirects_to: str | None = None
    middlewares: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RouterFact:
    """A router as Traefik runs it. `name` has its provider: `env-a.exact.web@http`.

    `status` is enabled, warning or disabled; `errors` are Traefik's own words; `entrypoints` are
    those that it is on. `service` is as the router says it, without a provider when it is its own.
    """

    name: str
    rule: str
    priority: int
    status: str
    entrypoints: tuple[str, ...]
    service: str = ""
    tls: bool = False
    errors: tuple[str, ...] = ()

    @property
    def provider(self) -> str:
        """Who made it: http is us, or another http provider; file, docker, internal, …"""
        return self.name.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class ServiceFact:
    """A service of ours that Traefik does not plainly run, with its words."""

    name: str
    status: str
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateFact:
    """A certificate that Traefik has loaded. `fingerprint` is the SHA-256 of its DER, in hex."""

    fingerprint: str
    names: tuple[str, ...]
    not_after: datetime | None
    status: str


@dataclass(frozen=True, slots=True)
class TraefikFacts:
    """One Traefik at one look. `url` is that of its API, without user information.

    `problem` says why the last look failed; the rest is then as it was last seen, and nothing of
    it holds for sure. `live_digest` is the digest of the document of ours that it runs; None for
    none of ours. `faults` are our routers that are not plainly enabled. `routers` counts those of
    all providers. `looked_at` is when.

    From `entrypoints` on it is from a survey, which is made more rarely, at `surveyed_at`: the
    routers of other providers, and of every middleware its name with its provider, among others.
    `survey_problem` says why a later one failed.
    """

    url: str
    looked_at: datetime | None = None
    problem: str | None = "not looked at yet"
    version: str | None = None
    started_at: str | None = None
    live_digest: str | None = None
    faults: tuple[RouterFact, ...] = ()
    routers: int = 0
    entrypoints: tuple[EntryPoint, ...] = ()
    neighbours: tuple[RouterFact, ...] = ()
    middlewares: frozenset[str] = frozenset()
    services: tuple[ServiceFact, ...] = ()
    certificates: tuple[CertificateFact, ...] = ()
    surveyed_at: datetime | None = None
    survey_problem: str | None = None

    @property
    def reached(self) -> bool:
        """Whether the last look was whole: only then does anything here hold."""
        return self.problem is None
