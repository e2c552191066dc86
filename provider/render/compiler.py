"""All records to fragments, each compiled once: a cache keyed by what a fragment is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provider.render.compile import Rules, compile_record
from provider.render.fragment import Fragment, OwnCertificate, Rejection
from registry.schema import Environment

Compiled = Fragment | Rejection | None


class Compiler:
    """Remembers the last fragment of each environment, and what it was compiled from."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._known: dict[str, tuple[Environment, OwnCertificate | None, Compiled]] = {}

    def compile(
        self, environment: Environment, certificate: OwnCertificate | None = None
    ) -> Compiled:
        """The fragment of one record; None when it claims nothing."""
        known = self._known.get(environment.environment_id)
        if known is None or known[0] is not environment or known[1] != certificate:
            compiled = self._compiled(environment, certificate)
            known = self._known[environment.environment_id] = (environment, certificate, compiled)
        return known[2]

    def _compiled(self, environment: Environment, certificate: OwnCertificate | None) -> Compiled:
        try:
            return compile_record(environment, self._rules, certificate)
        except Exception as error:  # a bug of ours; it stays with this record
            return Rejection(
                environment.environment_id,
                environment.slug,
                "internal",
                "/metadata/router",
                f"cannot be rendered, a bug of ours: {type(error).__name__}: {error}",
            )

    def compile_all(
        self,
        environments: Iterable[Environment],
        certificates: Mapping[str, OwnCertificate] | None = None,
    ) -> list[Fragment | Rejection]:
        """Every fragment and rejection; forgets records that are gone.

        `certificates` are by `environment_id`, of the records that name a pair.
        """
        found = certificates or {}
        current = list(environments)
        compiled = [self.compile(each, found.get(each.environment_id)) for each in current]
        ids = {environment.environment_id for environment in current}
        self._known = {key: value for key, value in self._known.items() if key in ids}
        return [item for item in compiled if item is not None]
