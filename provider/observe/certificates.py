"""The certificate folder: which pair a record's names stand for now, as a copy of fixed content.

A pair that parses and matches is copied to `.live/<sha256>/`, and the document names the copies.
So a rotation changes the document, which makes Traefik read the new files at once, and a pair of
which only one half was replaced goes on being served from its last good copy, over restarts.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path

from provider.observe.pairs import PairFiles, UnusablePair, parse_pair, read_pair, signature_of
from provider.render.fragment import OwnCertificate, Pair
from registry.differing import differing
from registry.engines.durable import write_durably
from registry.errors import RegistryError
from registry.schema import Environment

LIVE = ".live"
UNUSED_KEPT_S = 24 * 3600

_Names = tuple[str, str]


class CertificateFolder:
    """`data/router/certs`, and `traefik_folder`, the same folder as Traefik sees it.

    With `read_only` no copy is made, and a pair has the paths that its copies would have.
    """

    def __init__(self, folder: Path, traefik_folder: str, *, read_only: bool = False) -> None:
        self._folder, self._traefik_folder = folder, traefik_folder
        self._read_only = read_only
        self._seen: dict[_Names, tuple[Hashable, OwnCertificate]] = {}
        self._failed: set[_Names] = set()
        self._last_good = self._read_last_good()
        self._environments: Sequence[Environment] = ()
        self._naming: dict[str, _Names] = {}

    def own_certificates(self, environments: Sequence[Environment]) -> dict[str, OwnCertificate]:
        """What became of each pair that a record names, by `environment_id`."""
        wanted = set(self._named_by(environments).values())  # many may name one pair
        self._failed &= wanted
        looked = {names: self.look(*names) for names in wanted}
        return {name: looked[names] for name, names in self._naming.items()}

    def _named_by(self, environments: Sequence[Environment]) -> dict[str, _Names]:
        """The pair that each environment names, of those that name one."""
        gone, new = differing(self._environments, environments)
        self._environments = environments
        for environment in gone:
            self._naming.pop(environment.environment_id, None)
        for environment in new:
            tls = environment.router.tls if environment.router else None
            if tls and tls.cert_file and tls.key_file:
                self._naming[environment.environment_id] = tls.cert_file, tls.key_file
        return self._naming

    def look(self, cert_file: str, key_file: str) -> OwnCertificate:
        """The pair of these names as it is on disk now, or its last good copy and the problem.

        It is looked at again when its files change, its copy does, or the disk refused that.
        """
        names = cert_file, key_file
        files = tuple(signature_of(self._folder / name) for name in names)
        seen = self._seen.get(names)
        if seen is not None and seen[0] == (files, self._signature_of_copy(seen[1])):
            return seen[1]
        own = self._look_again(names)
        if names in self._failed:
            self._seen.pop(names, None)
        else:
            self._seen[names] = (files, self._signature_of_copy(own)), own
        return own

    @property
    def is_unsettled(self) -> bool:
        """Whether the disk refused a copy: it is tried again with each look."""
        return bool(self._failed)

    def _signature_of_copy(self, own: OwnCertificate) -> Hashable:
        return signature_of(self._folder / LIVE / own.pair.fingerprint) if own.pair else None

    def leads_outside(self, cert_file: str, key_file: str) -> str | None:
        """The reason, when one of the names leads out of the folder; never opens the files."""
        try:
            read_pair(self._folder, cert_file, key_file)
        except UnusablePair as error:
            return str(error) if error.outside else None
        return None

    def sweep(self, used: Iterable[Pair]) -> None:
        """Remove copies that nothing has used for a day."""
        now, kept = time.time(), {pair.fingerprint for pair in used} | set(self._last_good.values())
        for copy in self._folder.glob(f"{LIVE}/*/"):
            if copy.name in kept:
                os.utime(copy)
            elif now - copy.stat().st_mtime > UNUSED_KEPT_S:
                shutil.rmtree(copy, ignore_errors=True)

    def _look_again(self, names: _Names) -> OwnCertificate:
        self._failed.discard(names)
        try:
            files = read_pair(self._folder, *names)
            return OwnCertificate(
                self._pair(files) if self._read_only else self._kept(names, files)
            )
        except (UnusablePair, RegistryError, OSError) as error:
            if not isinstance(error, UnusablePair):
                self._failed.add(names)
            last_good = self._last_copy(names)
            suffix = "; its last good copy stays in service" if last_good else ""
            mismatch = isinstance(error, UnusablePair) and error.mismatch
            return OwnCertificate(last_good, f"{error}{suffix}", mismatch)

    def _kept(self, names: _Names, files: PairFiles) -> Pair:
        copy = self._folder / LIVE / files.fingerprint
        sources = [self._folder / name for name in names]
        for source, target, content in zip(
            sources, ("cert.pem", "key.pem"), (files.certificate, files.key), strict=True
        ):
            _copy(source, copy / target, content)
        if self._last_good.get(names) != files.fingerprint:
            self._last_good[names] = files.fingerprint
            self._write_last_good()
        return self._pair(files)

    def _pair(self, files: PairFiles) -> Pair:
        copy = f"{self._traefik_folder}/{LIVE}/{files.fingerprint}"
        return Pair(
            fingerprint=files.fingerprint,
            names=files.names,
            not_after=files.not_after,
            cert_path=f"{copy}/cert.pem",
            key_path=f"{copy}/key.pem",
        )

    def _last_copy(self, names: _Names) -> Pair | None:
        copy = self._folder / LIVE / self._last_good.get(names, "none")
        try:
            contents = [(copy / name).read_bytes() for name in ("cert.pem", "key.pem")]
            return self._pair(parse_pair(contents[0], contents[1], *names))
        except (OSError, UnusablePair):
            return None

    def _read_last_good(self) -> dict[_Names, str]:
        try:
            rows = json.loads((self._folder / LIVE / "last_good.json").read_text())
            return {(row["cert_file"], row["key_file"]): row["sha256"] for row in rows}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _write_last_good(self) -> None:
        rows = [
            {"cert_file": cert_file, "key_file": key_file, "sha256": sha256}
            for (cert_file, key_file), sha256 in sorted(self._last_good.items())
        ]
        write_durably(self._folder / LIVE / "last_good.json", json.dumps(rows, indent=2).encode())


def _copy(source: Path, target: Path, content: bytes) -> None:
    """A copy that Traefik can read if it can read the source: same mode, same group.

    Raises StoreUnavailable and DiskFull; a copy is whole and with its group, or is not there.
    """
    wanted = source.stat()
    mode = stat.S_IMODE(wanted.st_mode)
    if target.exists():
        there = target.stat()
        if (stat.S_IMODE(there.st_mode), there.st_gid) == (mode, wanted.st_gid):
            return
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(exist_ok=True)
    write_durably(target, content, mode=mode, group=wanted.st_gid)
