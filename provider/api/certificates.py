"""`GET /api/certificates`: what is in the certificate folder, who uses and who has loaded it."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from aiohttp import web

from provider.api.listing import known_snapshot
from provider.api.surface import SURFACE
from provider.api.views import View
from provider.certificate_rules import (
    DateStatus,
    days_left,
    hosts_not_covered,
    is_readable_by_others,
    status_of_dates,
)
from provider.observe.facts import TraefikFacts
from provider.observe.plumbing import CertificateFile
from registry.fields import instant_text
from registry.schema import Environment
from registry.upstream import hostnames_of


class UserView(View):
    """An environment whose record names the pair."""

    environment_id: str
    slug: str


class CertificateView(View):
    """A certificate and its key. `loaded` is by the URL of a Traefik's API; null is not known.

    `served_copy`: the files cannot be served, and the last good copy of the pair is.
    """

    file: str
    cert_file: str
    key_file: str | None
    names: list[str]
    sans: list[str]
    issuer: str | None
    not_before: str | None
    not_after: str | None
    days_left: int | None
    status: Literal["ok", "expiring", "expired", "not_yet_valid", "unusable"]
    key_matches: bool | None
    key_mode: str | None
    key_readable_by_others: bool | None
    used_by: list[UserView]
    uncovered: list[str]
    loaded: dict[str, bool | None]
    fingerprint: str | None
    problem: str | None
    served_copy: bool


class CertificatesView(View):
    """The inventory, by the name of the file."""

    certificates: list[CertificateView]


Users = Mapping[tuple[str, str], Sequence[Environment]]


async def list_certificates(request: web.Request) -> web.Response:
    """Every certificate that a record names or that the folder holds."""
    surface = request.app[SURFACE]
    users = users_of(known_snapshot(surface.store).environments)
    files = await asyncio.to_thread(surface.inventory.look, users)
    own = surface.reconciler.own_certificates
    half = {each for each, seen in own.items() if seen.pair and seen.problem}
    views = [
        certificate_view(
            each, users.get((each.cert_file, each.key_file or ""), ()), surface.facts, half
        )
        for each in files
    ]
    return web.json_response({"certificates": views})


def users_of(environments: Iterable[Environment]) -> Users:
    """The environments that name each pair, by the names of certificate and key."""
    users: dict[tuple[str, str], list[Environment]] = defaultdict(list)
    for environment in environments:
        tls = environment.router.tls if environment.router else None
        if tls and tls.cert_file and tls.key_file:
            users[tls.cert_file, tls.key_file].append(environment)
    return users


def certificate_view(
    seen: CertificateFile,
    users: Sequence[Environment],
    traefiks: Iterable[TraefikFacts],
    half_replaced: Iterable[str],
) -> dict[str, Any]:
    """One certificate as JSON, as it stood when it was looked at."""
    mode, ids = seen.key_mode, {each.environment_id for each in users}
    return {
        "file": seen.cert_file,
        "cert_file": seen.cert_file,
        "key_file": seen.key_file,
        "names": list(seen.names),
        "sans": list(seen.names),
        "issuer": seen.issuer,
        "not_before": instant_text(seen.not_before) if seen.not_before else None,
        "not_after": instant_text(seen.not_after) if seen.not_after else None,
        "days_left": days_left(seen.not_after, seen.looked_at) if seen.not_after else None,
        "status": _status(seen),
        "key_matches": seen.key_matches,
        "key_mode": None if mode is None else f"{mode:04o}",
        "key_readable_by_others": None if mode is None else is_readable_by_others(mode),
        "used_by": [{"environment_id": e.environment_id, "slug": e.slug} for e in users],
        "uncovered": _uncovered(seen, users),
        "loaded": {facts.url: _is_loaded(seen.fingerprint, facts) for facts in traefiks},
        "fingerprint": seen.fingerprint,
        "problem": seen.problem,
        "served_copy": not ids.isdisjoint(half_replaced),
    }


def _status(seen: CertificateFile) -> DateStatus | Literal["unusable"]:
    if seen.problem is not None or seen.not_after is None:
        return "unusable"
    return status_of_dates(seen.not_before, seen.not_after, seen.looked_at)


def _uncovered(seen: CertificateFile, users: Iterable[Environment]) -> list[str]:
    """Of a certificate that cannot be read nothing is said."""
    if seen.fingerprint is None:
        return []
    hosts = (h for e in users if e.router for h in hostnames_of(e.router, e.host))
    return hosts_not_covered(seen.names, hosts)


def _is_loaded(fingerprint: str | None, facts: TraefikFacts) -> bool | None:
    """None where the Traefik does not say: not reached, not surveyed yet, older than 3.7."""
    if fingerprint is None or not facts.reached or facts.surveyed_at is None:
        return None
    if not facts.certificates and not _lists_certificates(facts.version):
        return None
    return any(each.fingerprint == fingerprint for each in facts.certificates)


def _lists_certificates(version: str | None) -> bool:
    found = re.match(r"v?(\d{1,4})\.(\d{1,4})", version or "")
    return found is not None and (int(found[1]), int(found[2])) >= (3, 7)
