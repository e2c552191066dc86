"""What a write may lead to: judged on the catalogue as it would be after it."""

from __future__ import annotations

from datetime import UTC, datetime

from provider.observe.certificates import CertificateFolder
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.fragment import Claim, Fragment, Rejection
from registry.errors import (
    FieldError,
    ForbiddenUpstream,
    InvalidRecord,
    RegistryError,
    RouteConflict,
)
from registry.schema import Environment
from registry.snapshot import Snapshot

_NEWEST = datetime.max.replace(tzinfo=UTC)


class Admission:
    """Refuses what may not be written through the API, though each record is valid by itself."""

    def __init__(self, rules: Rules, certificates: CertificateFolder) -> None:
        self._compiler = Compiler(rules)
        self._certificates = certificates

    def __call__(self, before: Snapshot, after: Snapshot) -> None:
        """Raises ForbiddenUpstream, InvalidRecord, and RouteConflict with the holder."""
        known = {environment.environment_id: environment for environment in before.environments}
        changed = [e for e in after.environments if known.get(e.environment_id) is not e]
        for environment in changed:
            self._check_certificate(environment)
            refusal = self.verify(environment)
            if refusal is not None:
                raise refusal
        self._check_claims(known, changed, after)

    def _check_certificate(self, environment: Environment) -> None:
        tls = environment.router.tls if environment.router else None
        if tls is None or tls.cert_file is None or tls.key_file is None:
            return
        reason = self._certificates.leads_outside(tls.cert_file, tls.key_file)
        if reason:
            raise InvalidRecord(reason, [FieldError("/metadata/router/tls", reason)])

    def verify(self, environment: Environment) -> RegistryError | None:
        """Why a record, valid by itself, may not be routed here; hand edits are asked this too."""
        compiled = self._compiler.compile(environment)
        if not isinstance(compiled, Rejection):
            return None
        refused = ForbiddenUpstream if compiled.code == ForbiddenUpstream.code else InvalidRecord
        return refused(compiled.message, [FieldError(compiled.pointer, compiled.message)])

    def _check_claims(
        self, known: dict[str, Environment], changed: list[Environment], after: Snapshot
    ) -> None:
        added = {
            claim: environment
            for environment in changed
            for claim in self._claims(environment)
            - self._claims(known.get(environment.environment_id))
        }
        if not added:
            return
        holders = [
            (other.created_at or _NEWEST, other.environment_id, claim, other)
            for other in after.environments
            for claim in self._claims(other) & added.keys()
            if added[claim].environment_id != other.environment_id
        ]
        if holders:
            _, _, claim, holder = min(holders, key=lambda each: each[:3])
            raise _conflict(claim, holder)

    def _claims(self, environment: Environment | None) -> frozenset[Claim]:
        compiled = self._compiler.compile(environment) if environment else None
        return frozenset(compiled.claims) if isinstance(compiled, Fragment) else frozenset()


def _conflict(claim: Claim, holder: Environment) -> RouteConflict:
    detail = f"{claim} is held by {holder.environment_id} ({holder.slug})"
    return RouteConflict(
        detail,
        [FieldError("/metadata/router/hostnames", detail)],
        holder={"environment_id": holder.environment_id, "slug": holder.slug},
    )
