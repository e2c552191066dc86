"""What the handlers work on: made by the daemon, handed to the application."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from provider.api.door import Door
from provider.auth.passwords import PasswordCheck
from provider.auth.throttle import LoginThrottle
from provider.current import Current
from provider.events import Events
from provider.health_keeper import HealthKeeper
from provider.issuing.issuer import Issuer
from provider.ledger import Ledger
from provider.listener import SilentClients
from provider.meters import Meters
from provider.observe.certificate_files import CertificateInventory
from provider.observe.facts import TraefikFacts
from provider.opening import Opening
from provider.polls import Polls
from provider.previewer import Previewer
from provider.reconciler import Reconciler
from provider.routing.board import RoutingBoard
from provider.surveyor import Surveyor
from registry.store import EnvironmentStore
from registry.workspaces import Workspaces


@dataclass(frozen=True)
class Surface:
    """The parts that requests reach. `stale_health_s` is the age at which a check is stale.

    `facts` gives what was last seen of each known Traefik.
    """

    store: EnvironmentStore
    workspaces: Workspaces
    current: Current
    polls: Polls
    reconciler: Reconciler
    previewer: Previewer
    door: Door
    throttle: LoginThrottle
    passwords: PasswordCheck
    silent_clients: SilentClients
    events: Events
    meters: Meters
    stale_health_s: float
    tls_entrypoints: frozenset[str]
    routing: RoutingBoard
    ledger: Ledger
    surveyor: Surveyor
    inventory: CertificateInventory
    issuer: Issuer
    health: HealthKeeper
    opening: Opening

    @property
    def facts(self) -> tuple[TraefikFacts, ...]:
        """What was last seen of each known Traefik."""
        return self.routing.facts


SURFACE = web.AppKey("surface", Surface)
