"""The certificate folder as an inventory: every certificate in it, and the key of each. I/O only.

Keys are compared and forgotten. The copies and the default certificate, which are ours, are apart.
"""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import TypeVar

from provider.observe.pairs import (
    Leaf,
    UnusablePair,
    mismatch,
    parse_certificate,
    parse_key,
    read_inside,
    signature_of,
)
from provider.observe.plumbing import CertificateFile
from registry.store import utc_now

FILES_MAX = 1000
_MARK = b"-----BEGIN CERTIFICATE-----"
_SUFFIXES = (".crt", ".cer", ".cert", ".der")
_KEY_NAME = re.compile(r"(^|[-_.])(priv)?key$")
_KEYS_BESIDE = ("{stem}.key", "{stem}-key.pem", "{stem}.key.pem", "{stem}_key.pem", "privkey.pem")

_Named = tuple[str, str]
Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class _Held:
    """What a file holds: a certificate, what stands for a key, or why it holds none.

    `is_certificate` says that it means to be a certificate, whether or not it is a good one.
    """

    certificate: Leaf | UnusablePair
    key: str | UnusablePair
    is_certificate: bool
    mode: int | None


class CertificateInventory:
    """What `folder` holds, read again where a file changed. Reads: callers use a thread.

    The first 1,000 files count, of 1 MiB at most each, those that records name before all others.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self._folder, self._clock, self._lock = folder, clock, Lock()
        self._known: dict[str, tuple[Hashable, _Held]] = {}

    def look(self, named: Iterable[_Named]) -> tuple[CertificateFile, ...]:
        """Each pair that a record names, and each further certificate, by the names of files."""
        pairs = dict.fromkeys(named)
        with self._lock:
            held = self._read(pairs)
        certificates = {cert_file for cert_file, _ in pairs}
        keys = _by_key(held)
        for name, each in held.items():
            if each.is_certificate and name not in certificates:
                pairs[name, _key_of(name, each, held, keys) or ""] = None
        return tuple(self._file(*names, held) for names in sorted(pairs))

    def _read(self, pairs: Iterable[_Named]) -> Mapping[str, _Held]:
        wanted = dict.fromkeys(name for pair in pairs for name in pair)
        names = islice(
            dict.fromkeys([*wanted, *islice(_names(self._folder), FILES_MAX)]), FILES_MAX
        )
        known, self._known = self._known, {}
        for name in names:
            signature = signature_of(self._folder / name)
            seen = known.get(name)
            if seen is None or seen[0] != signature or signature is None:
                seen = signature, self._held(name)
            self._known[name] = seen
        return {name: held for name, (_, held) in self._known.items()}

    def _held(self, name: str) -> _Held:
        mode = None
        with suppress(OSError):
            mode = stat.S_IMODE((self._folder / name).stat().st_mode)
        try:
            content = read_inside(self._folder, name)
        except UnusablePair as error:
            return _Held(error, error, _is_certificate(name, None), mode)
        certificate = _tried(parse_certificate, content, name)
        key = _tried(parse_key, content, name)
        return _Held(certificate, key, _is_certificate(name, content), mode)

    def _file(self, cert_file: str, key_file: str, held: Mapping[str, _Held]) -> CertificateFile:
        beyond = UnusablePair(f"not looked at: more than {FILES_MAX} files")
        none = _Held(beyond, beyond, False, None)
        certificate, of_key = held.get(cert_file, none).certificate, held.get(key_file, none)
        problem, matches = _judged(certificate, of_key.key, cert_file, key_file)
        leaf = certificate if isinstance(certificate, Leaf) else None
        return CertificateFile(
            cert_file=cert_file,
            key_file=key_file or None,
            looked_at=self._clock(),
            problem=problem,
            names=leaf.names if leaf else (),
            issuer=leaf.issuer if leaf else None,
            not_before=leaf.not_before if leaf else None,
            not_after=leaf.not_after if leaf else None,
            fingerprint=leaf.fingerprint if leaf else None,
            key_matches=matches,
            key_mode=of_key.mode,
        )


def _judged(
    certificate: Leaf | UnusablePair, key: str | UnusablePair, cert_file: str, key_file: str
) -> tuple[str | None, bool | None]:
    """Why the two cannot be served, and whether they match; None where that is not known."""
    if isinstance(certificate, UnusablePair):
        return str(certificate), None
    if not key_file:
        return f"no key of {cert_file} is in the folder", None
    if isinstance(key, UnusablePair):
        return str(key), None
    problem = mismatch(certificate, key, cert_file, key_file)
    return problem, problem is None


def _by_key(held: Mapping[str, _Held]) -> Mapping[str, list[str]]:
    """The files that hold each key."""
    files: dict[str, list[str]] = defaultdict(list)
    for name, each in held.items():
        if isinstance(each.key, str):
            files[each.key].append(name)
    return files


def _key_of(
    name: str, certificate: _Held, held: Mapping[str, _Held], keys: Mapping[str, list[str]]
) -> str | None:
    """The file of its key: one that matches, the nearest first; else one that is called so."""
    path = PurePosixPath(name)
    called = [str(path.with_name(form.format(stem=path.stem))) for form in _KEYS_BESIDE]
    leaf = certificate.certificate
    matching = keys.get(leaf.public, ()) if isinstance(leaf, Leaf) else ()
    beside = (each for each in called if each in held and each != name)
    return min(
        matching,
        key=lambda key: (key not in called, PurePosixPath(key).parent != path.parent, key),
        default=next(beside, None),
    )


def _is_certificate(name: str, content: bytes | None) -> bool:
    """By content; by name what cannot be read, and what is called so without being one."""
    path = PurePosixPath(name)
    if content is None:
        suffixes = (*_SUFFIXES, ".pem")
        return path.suffix in suffixes and not _KEY_NAME.search(path.stem)
    called = path.suffix in _SUFFIXES and not _KEY_NAME.search(path.stem)
    return _MARK in content or (called and b"PRIVATE KEY-----" not in content)


def _names(folder: Path) -> Iterator[str]:
    """Every file below, hidden ones apart; links to folders are not followed."""
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for file in sorted(files):
            if not file.startswith("."):
                yield (Path(at) / file).relative_to(folder).as_posix()


def _tried(
    parse: Callable[[bytes, str], Parsed], content: bytes, name: str
) -> Parsed | UnusablePair:
    try:
        return parse(content, name)
    except UnusablePair as error:
        return error
