"""What a write may lead to: judged on the catalogue as it would be after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from provider.observe.certificates import CertificateFolder
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.fragment import Claim, Fragment, Rejection
from registry.entries import Entry
from registry.errors import (
    FieldError,
    ForbiddenUpstream,
    InvalidRecord,
    RegistryError,
    RouteConflict,
)
from registry.schema import Environment
from registry.snapshot import Snapshot
from registry.writer import Refusal

_NEWEST = datetime.max.replace(tzinfo=UTC)


class Admission:
    """Refuses what may not be written through the API, though each record is valid by itself.

    `compiler` may be the renderer's: then what was judged here is there already.
    """

    def __init__(
        self, rules: Rules, certificates: CertificateFolder, compiler: Compiler | None = None
    ) -> None:
        self._compiler = compiler or Compiler(rules)
        self._certificates = certificates
        self._holders = _Holders(self._claims)

    def __call__(self, before: Snapshot, after: Snapshot) -> Iterator[Refusal]:
        """ForbiddenUpstream, InvalidRecord, and RouteConflict with the holder."""
        gone, come = before.differing(after)
        known = {e.environment.environment_id: e.environment for e in gone if e.environment}
        written = (entry.environment for entry in come)
        changed = [e for e in written if e and known.get(e.environment_id) is not e]
        # Before the new versions are compiled, which push the old ones out of the compiler.
        held = {
            environment.environment_id: self._claims(known.get(environment.environment_id))
            for environment in changed
        }
        for environment in changed:
            error = self._certificate_error(environment) or self.verify(environment)
            if error is not None:
                yield Refusal(environment.environment_id, error)
        yield from self._lost_claims(held, changed, after)

    def _certificate_error(self, environment: Environment) -> RegistryError | None:
        tls = environment.router.tls if environment.router else None
        if tls is None or tls.cert_file is None or tls.key_file is None:
            return None
        reason = self._certificates.leads_outside(tls.cert_file, tls.key_file)
        if not reason:
            return None
        return InvalidRecord(reason, [FieldError("/metadata/router/tls", reason)])

    def verify(self, environment: Environment) -> RegistryError | None:
        """Why a record, valid by itself, may not be routed here; hand edits are asked this too."""
        compiled = self._compiler.compile(environment)
        if not isinstance(compiled, Rejection):
            return None
        refused = ForbiddenUpstream if compiled.code == ForbiddenUpstream.code else InvalidRecord
        return refused(compiled.message, [FieldError(compiled.pointer, compiled.message)])

    def _lost_claims(
        self,
        held: Mapping[str, frozenset[Claim]],
        changed: Sequence[Environment],
        after: Snapshot,
    ) -> Iterator[Refusal]:
        """Of each changed record the first claim that it adds and another one holds."""
        added = {
            environment.environment_id: self._claims(environment) - held[environment.environment_id]
            for environment in changed
        }
        wanted = frozenset().union(*added.values())
        if wanted:
            self._holders.follow(after)
        holders = {claim: self._holders.of(claim) for claim in wanted}
        for environment in changed:
            for claim in sorted(added[environment.environment_id]):
                others = [other for other in holders[claim] if other is not environment]
                if others:
                    error = _conflict(claim, min(others, key=_seniority))
                    yield Refusal(environment.environment_id, error)
                    break

    def _claims(self, environment: Environment | None) -> frozenset[Claim]:
        compiled = self._compiler.compile(environment) if environment else None
        return frozenset(compiled.claims) if isinstance(compiled, Fragment) else frozenset()


class _Holders:
    """Who makes each claim, of the snapshot that it last followed."""

    def __init__(self, claims: Callable[[Environment], frozenset[Claim]]) -> None:
        self._claims = claims
        self._snapshot = Snapshot()
        self._by_claim: dict[Claim, list[Environment]] = {}
        self._made: dict[Entry, frozenset[Claim]] = {}

    def follow(self, snapshot: Snapshot) -> None:
        """Be of this snapshot: only the entries that are others are looked at."""
        gone, come = self._snapshot.differing(snapshot)
        for entry in gone:
            for claim in self._made.pop(entry, ()):
                holders = self._by_claim[claim]
                holders[:] = [each for each in holders if each is not entry.environment]
                if not holders:
                    del self._by_claim[claim]
        for entry in come:
            if entry.environment is not None:
                claims = self._made[entry] = self._claims(entry.environment)
                for claim in claims:
                    self._by_claim.setdefault(claim, []).append(entry.environment)
        self._snapshot = snapshot

    def of(self, claim: Claim) -> list[Environment]:
        """All who make this claim."""
        return list(self._by_claim.get(claim, ()))


def _seniority(environment: Environment) -> tuple[datetime, str]:
    return environment.created_at or _NEWEST, environment.environment_id


def _conflict(claim: Claim, holder: Environment) -> RouteConflict:
    detail = f"{claim} is held by {holder.environment_id} ({holder.slug})"
    return RouteConflict(
        detail,
        [FieldError("/metadata/router/hostnames", detail)],
        holder={"environment_id": holder.environment_id, "slug": holder.slug},
    )
