"""Issues development certificates: the pair into the certificate folder, its names into the record.

The files come first. What a crash leaves between the two is a pair that no record names, and
asking again mends it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import structlog

from provider.issuing.dev_ca import DevCa, Signed
from provider.issuing.issued import IssuedPairs, PairNames
from provider.issuing.leaves import Authority, Wanted, wanted_names
from registry.errors import (
    EditedElsewhere,
    FieldError,
    ForeignFiles,
    InvalidRecord,
    NotFound,
    Quarantined,
    RevisionConflict,
)
from registry.revisions import Author
from registry.schema import Environment
from registry.snapshot import Snapshot
from registry.store import EnvironmentStore, Matches

_TRIES = 3
_log = structlog.get_logger()


@dataclass(frozen=True)
class Issuance:
    """A certificate for an environment; without `signed` it is only what would be issued."""

    environment: Environment
    pair: PairNames
    wanted: tuple[Wanted, ...]
    signed: Signed | None = None


class Issuer:
    """Takes turns: of two requests for one environment the second replaces the first one's pair."""

    def __init__(self, ca: DevCa, pairs: IssuedPairs) -> None:
        self._ca, self._pairs = ca, pairs
        self._turn = asyncio.Lock()

    async def authority(self) -> Authority:
        """The development CA. Raises NotFound while there is none, and DevCaUnusable."""
        found = await asyncio.to_thread(self._ca.look)
        if found is None:
            raise NotFound(
                "there is no development CA yet: the first certificate that is issued makes it "
                "(`routebook certs issue --for REF`)"
            )
        return found

    async def issue(
        self, store: EnvironmentStore, ref: str, if_match: Matches | None, *, by: Author
    ) -> Issuance:
        """A new pair for an environment, and its names in the record; both on disk on return.

        Raises NameNotPermitted, ForeignFiles, DevCaUnusable, InvalidRecord for a record without a
        router, and what `store.patch` raises; then no file is touched, unless the disk fails.
        """
        async with self._turn:
            for left in reversed(range(_TRIES)):
                try:
                    return await self._issue(store, ref, if_match, by)
                except (RevisionConflict, EditedElsewhere):
                    if if_match is not None or not left:
                        raise
        raise AssertionError("the last try returns or raises")

    async def rehearse(
        self, store: EnvironmentStore, ref: str, if_match: Matches | None, *, by: Author
    ) -> Issuance:
        """As `issue` on a rehearsed store, and nothing is made."""
        judged = await self._judged(await store.load(), ref, if_match)
        return await _patched(store, judged, by)

    async def _issue(
        self, store: EnvironmentStore, ref: str, if_match: Matches | None, by: Author
    ) -> Issuance:
        judged = await self._judged(await store.load(), ref, if_match)
        await _patched(store.rehearsed()[0], judged, by)  # what it refuses is refused before files
        signed = await asyncio.to_thread(self._ca.sign, judged.wanted)
        await asyncio.to_thread(self._pairs.put, judged.pair, signed.certificate, signed.key_pem)
        issued = await _patched(store, judged, by)
        _log.info(
            "certificate_issued",
            environment=issued.environment.environment_id,
            cert_file=judged.pair.cert_file,
            not_after=signed.certificate.not_valid_after_utc.isoformat(),
        )
        return Issuance(issued.environment, issued.pair, issued.wanted, signed)

    async def _judged(self, snapshot: Snapshot, ref: str, if_match: Matches | None) -> Issuance:
        environment = _whole(snapshot, ref, if_match)
        wanted = wanted_names(environment)
        if not wanted:
            fault = FieldError("/metadata/router", "required: without it nothing is served")
            raise InvalidRecord("an environment without a router has no use for a pair", [fault])
        pair = PairNames(f"{environment.slug}.crt", f"{environment.slug}.key")
        _refuse_borrowed(snapshot, environment, pair)
        await asyncio.to_thread(self._refuse, environment, wanted, pair)
        return Issuance(environment, pair, wanted)

    def _refuse(
        self, environment: Environment, wanted: tuple[Wanted, ...], pair: PairNames
    ) -> None:
        self._ca.check(wanted)
        authority, named = self._ca.look(), _named(environment)
        if named not in (None, pair) and not self._pairs.is_ours(named, authority):
            detail = f"the record names {named.cert_file} and {named.key_file}, which are not of us"
            fault = FieldError("/metadata/router/tls", f"{detail}: take cert_file and key_file out")
            raise ForeignFiles(fault.message, [fault], files=list(named))
        foreign = self._pairs.foreign(pair, authority)
        if foreign:
            raise ForeignFiles(
                f"{' and '.join(foreign)} in the certificate folder: not issued by us, and not "
                "overwritten; move away what is not needed, then ask again",
                files=foreign,
            )


async def _patched(store: EnvironmentStore, judged: Issuance, by: Author) -> Issuance:
    """The record with the pair's names, if it still is as it was judged."""
    was = judged.environment
    tls: dict[str, Any] = judged.pair._asdict()
    environment = await store.patch(
        was.environment_id,
        {"metadata": {"router": {"tls": tls}}},
        lambda revision: revision == was.revision,
        by=by,
    )
    return Issuance(environment, judged.pair, judged.wanted)


def _whole(snapshot: Snapshot, ref: str, if_match: Matches | None) -> Environment:
    entry = snapshot.entry(ref)
    environment = entry.environment
    if environment is None or entry.fault:
        raise Quarantined("the stored record is broken: mend it, then ask again")
    if if_match is not None and not if_match(environment.revision):
        raise RevisionConflict(
            f"the environment is at revision {environment.revision}; read it again, then ask",
            revision=environment.revision,
        )
    return environment


def _refuse_borrowed(snapshot: Snapshot, environment: Environment, pair: PairNames) -> None:
    """Files of this name that another record names belong to that one, unless ours does too."""
    if _named(environment) == pair:
        return
    for other in snapshot.environments:
        shared = sorted(set(pair) & set(_named(other) or ()))
        if other.environment_id != environment.environment_id and shared:
            raise ForeignFiles(
                f"{' and '.join(shared)}: {other.environment_id} ({other.slug}) names it; issue "
                "one for that environment first, or give it another pair",
                files=shared,
            )


def _named(environment: Environment) -> PairNames | None:
    tls = environment.router.tls if environment.router else None
    if tls is None or tls.cert_file is None or tls.key_file is None:
        return None
    return PairNames(tls.cert_file, tls.key_file)
