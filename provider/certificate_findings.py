"""The certificates that records name: what is wrong with each pair, and what soon will be."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from provider.certificate_rules import (
    hosts_not_covered,
    is_readable_by_others,
    status_of_dates,
)
from provider.findings import Finding, finding_in
from provider.observe.certificates import CertificateFolder
from provider.render.compile import DEFAULT_ENTRYPOINTS
from provider.render.fragment import OwnCertificate, Pair
from registry.entries import Entry
from registry.router_spec import RouterSpec
from registry.schema import Environment
from registry.snapshot import Snapshot
from registry.upstream import hostnames_of


@dataclass(frozen=True, slots=True)
class NamedPair:
    """A record in force, the two files that it names, and what became of them."""

    entry: Entry
    environment: Environment
    router: RouterSpec
    cert_file: str
    key_file: str
    own: OwnCertificate


def named_pairs(snapshot: Snapshot, own: Mapping[str, OwnCertificate]) -> Iterator[NamedPair]:
    """Every record that names a pair; `own` has those, by `environment_id`."""
    for environment_id, entry in snapshot.by_id.items():
        environment = entry.environment
        router = environment.router if environment else None
        if environment_id in own and environment and router and router.tls:
            cert_file, key_file = router.tls.cert_file or "", router.tls.key_file or ""
            yield NamedPair(entry, environment, router, cert_file, key_file, own[environment_id])


@dataclass(frozen=True)
class CertificateCheck:
    """What pairs are judged by: `data` is the folder of the catalogue, `folder` that of the pairs.

    A record that claims no routes needs no certificate yet; only where it points is judged.
    """

    data: Path
    folder: Path
    certificates: CertificateFolder
    tls_entrypoints: frozenset[str]
    now: datetime

    def __call__(self, named: NamedPair) -> Iterator[Finding]:
        """All that is wrong with the pair of one record."""
        if named.own.problem is not None:
            yield from self._unusable(named, named.own.problem)
        elif named.environment.routed and named.own.pair is not None:
            yield from self._dates(named, named.own.pair)
            yield from self._hosts(named, named.own.pair)
            yield from self._key(named)

    def _unusable(self, named: NamedPair, problem: str) -> Iterator[Finding]:
        which = "key_file" if problem.startswith(f"{named.key_file} ") else "cert_file"
        if self.certificates.leads_outside(named.cert_file, named.key_file):
            yield self._finding(named, which, problem, "invalid_record")
        elif named.environment.routed and self._is_bare():
            problem = f"{problem}, nor is any other certificate, as in a checkout: not judged"
            yield self._finding(named, which, problem, "certificate_left_out").as_warning()
        elif named.environment.routed:
            yield self._finding(named, which, problem, "certificate_left_out")

    def _dates(self, named: NamedPair, pair: Pair) -> Iterator[Finding]:
        status, day = status_of_dates(None, pair.not_after, self.now), pair.not_after.date()
        if status == "expired":
            words = f"{named.cert_file} ended on {day}"
            yield self._finding(named, "cert_file", words, "certificate_expired")
        elif status == "expiring":
            words = f"{named.cert_file} ends on {day}"
            yield self._finding(named, "cert_file", words, "certificate_expiring").as_warning()

    def _hosts(self, named: NamedPair, pair: Pair) -> Iterator[Finding]:
        hosts = hostnames_of(named.router, named.environment.host)
        others = hosts_not_covered(pair.names, hosts)
        entrypoints = named.router.entrypoints or DEFAULT_ENTRYPOINTS
        if others and self.tls_entrypoints.intersection(entrypoints):
            words = f"{named.cert_file} is not for {', '.join(others)}"
            yield self._finding(named, "cert_file", words, "certificate_not_for_host").as_warning()

    def _key(self, named: NamedPair) -> Iterator[Finding]:
        mode = _mode(self.folder / named.key_file)
        if is_readable_by_others(mode):
            words = f"{named.key_file} can be read by everyone (mode {mode:04o})"
            yield self._finding(named, "key_file", words, "key_readable").as_warning()

    def _is_bare(self) -> bool:
        """Whether there is nothing but a `.gitkeep`: keys are kept out of git."""
        try:
            inside = list(self.folder.iterdir())
        except OSError as error:
            return isinstance(error, FileNotFoundError)
        return all(path.name.startswith(".") and path.is_file() for path in inside)

    def _finding(self, named: NamedPair, key: str, words: str, code: str) -> Finding:
        return finding_in(named.entry, self.data, f"/metadata/router/tls/{key}", words, code)


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:  # it is being replaced
        return 0
