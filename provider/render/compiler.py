"""All records to fragments, each compiled once: a cache keyed by what a fragment is made from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from provider.render.compile import Rules, compile_record, is_rendered_alike
from provider.render.fragment import Compiled, OwnCertificate, Rejection
from registry.differing import Sequel, changed_runs, differing
from registry.schema import Environment

_JUDGED_MAX = 1000
_ID = attrgetter("environment_id")


class _Known(NamedTuple):
    environment: Environment
    certificate: OwnCertificate | None
    compiled: Compiled


class Compiler:
    """Remembers the last fragment of each environment, and what it was compiled from.

    The same fragment, the very object, comes out as long as nothing that it is made of changes.
    What `compile` was asked about has no say in what `compile_all` gives. Of records that are not
    in force it remembers as many as are, and 1,000 more: so many may be judged before they are.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._environments: tuple[Environment, ...] = ()
        self._certificates: Mapping[str, OwnCertificate] = {}
        self._known: dict[str, _Known] = {}
        self._known_max = math.inf  # a first reading judges all before any is in force
        self._compiled_all = Sequel[Compiled]()

    def compile(
        self, environment: Environment, certificate: OwnCertificate | None = None
    ) -> Compiled:
        """The fragment of one record; None when it claims nothing."""
        known = self._known.get(environment.environment_id)
        if (
            known is None
            or known.environment is not environment
            or known.certificate != certificate
        ):
            compiled = self._compiled(known, environment, certificate)
            known = _Known(environment, certificate, compiled)
            self._known[environment.environment_id] = known
            if len(self._known) > self._known_max:
                self._forget_judged()
        return known.compiled

    def compile_all(
        self,
        environments: Iterable[Environment],
        certificates: Mapping[str, OwnCertificate] | None = None,
    ) -> Sequel[Compiled]:
        """What each record is compiled to, in their order; forgets records that are gone.

        `certificates` are by `environment_id`, of the records that name a pair.
        """
        current = environments if isinstance(environments, tuple) else tuple(environments)
        found = dict(certificates or {})
        gone, new = differing(self._environments, current)
        left = {each.environment_id: each for each in new}
        for name in {each.environment_id for each in gone} - left.keys():
            self._known.pop(name, None)
        others = _differing(self._certificates, found) - left.keys()
        if others:  # as they are in force: what is known may be a version that was only judged
            in_force = {each.environment_id: each for each in current}
            left.update((name, in_force[name]) for name in others & in_force.keys())
        self._known_max = 2 * len(current) + _JUDGED_MAX
        compiled = {name: self.compile(each, found.get(name)) for name, each in left.items()}
        self._compiled_all = self._placed(current, compiled)
        # Last: what failed half way has to be done again.
        self._environments, self._certificates = current, found
        return self._compiled_all

    def _placed(
        self, current: Sequence[Environment], compiled: dict[str, Compiled]
    ) -> Sequel[Compiled]:
        """What was compiled now and before, each where its record stands."""
        before, runs = self._compiled_all, changed_runs(self._environments, current)
        come = [each.environment_id for run in runs for each in current[run.start : run.new_stop]]
        if compiled.keys() != set(come):  # records moved, or only their certificates changed
            known = dict(zip(map(_ID, self._environments), before, strict=True)) | compiled
            return Sequel([known[each.environment_id] for each in current])
        items = [compiled[name] for name in come]
        if len(runs) == 1:
            return before.with_run(runs[0].start, runs[0].old_stop, items)
        places = (run.start for run in runs)
        return before.with_items(dict(zip(places, items, strict=True)))

    def _forget_judged(self) -> None:
        in_force = {each.environment_id for each in self._environments}
        for name in self._known.keys() - in_force:
            self._known.pop(name, None)  # another thread may do the same

    def _compiled(
        self, known: _Known | None, environment: Environment, certificate: OwnCertificate | None
    ) -> Compiled:
        is_alike = (
            known is not None
            and known.certificate == certificate
            and is_rendered_alike(known.environment, environment)
        )
        return known.compiled if known and is_alike else self._anew(environment, certificate)

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


def _differing(old: Mapping[str, OwnCertificate], new: Mapping[str, OwnCertificate]) -> set[str]:
    return {name for name in old.keys() | new.keys() if old.get(name) is not new.get(name)}
