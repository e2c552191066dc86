"""All records to fragments, each compiled once: a cache keyed by what a fragment is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from provider.render.compile import Rules, compile_record, is_rendered_alike
from provider.render.fragment import Fragment, OwnCertificate, Rejection
from registry.schema import Environment

Compiled = Fragment | Rejection | None


class _Known(NamedTuple):
    environment: Environment
    certificate: OwnCertificate | None
    compiled: Compiled


class Compiler:
    """Remembers the last fragment of each environment, and what it was compiled from.

    The same fragment, the very object, comes out as long as nothing that it is made of changes.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._known: dict[str, _Known] = {}

    def compile(
        self, environment: Environment, certificate: OwnCertificate | None = None
    ) -> Compiled:
        """The fragment of one record; None when it claims nothing."""
        known = self._known.get(environment.environment_id)
        if known is None or known[0] is not environment or known[1] != certificate:
            compiled = self._compiled(known, environment, certificate)
            known = self._known[environment.environment_id] = _Known(
                environment, certificate, compiled
            )
        return known[2]

    def _compiled(
        self, known: _Known | None, environment: Environment, certificate: OwnCertificate | None
    ) -> Compiled:
        if known is not None and known.certificate == certificate:
            if is_rendered_alike(known.environment, environment):
                return known.compiled
        return self._anew(environment, certificate)

    def _anew(self, environment: Environment, certificate: OwnCertificate | None) -> Compiled:
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
        found, known = certificates or {}, self._known
        ids, compiled = set(), []
        for environment in environments:
            name = environment.environment_id
            ids.add(name)
            last = known.get(name)
            if last is None or last[0] is not environment or last[1] is not found.get(name):
                item = self.compile(environment, found.get(name))
            else:
                item = last[2]
            if item is not None:
                compiled.append(item)
        for name in known.keys() - ids if len(known) > len(ids) else ():
            del known[name]
        return compiled
