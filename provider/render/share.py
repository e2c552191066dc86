"""An environment's share of the document: what is rendered of its fragment."""

from __future__ import annotations

from typing import Any

from provider.render.fragment import Claim, Fragment
from provider.render.routers import routers_of
from provider.render.traefik import Http, checked
from registry.values import value


@value()
class Share:
    """Routers, services and middlewares by name, as the document has them."""

    http: Http
    certificate: str | None

    def document(self) -> dict[str, Any]:
        """As the document has it, in parts that are not empty."""
        return {"http": {key: value for key, value in self.http.items() if value}}


def share_of(fragment: Fragment, lost: frozenset[Claim]) -> Share | None:
    """What is left without the claims that were lost; None when nothing is."""
    routers = dict(routers_of(fragment, lost))
    if not routers:
        return None
    services = {fragment.environment_id: fragment.service}
    http: Http = {
        "routers": routers,
        "services": services,
        "middlewares": dict(fragment.middlewares),
    }
    return Share(checked(http), fragment.pair.cert_path if fragment.pair else None)
