"""The publication in force: one reference, swapped, and written to disk before it is shown."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from provider.publication import Publication, encode_publication
from provider.render.document import digest_at_end, digest_of
from registry.engines.durable import (
    as_registry_errors,
    make_alike,
    sync_file,
    sync_folder,
    write_all,
    write_durably,
)
from registry.errors import RegistryError

_MODE = 0o644
_END_BYTES = 64 * 1024
_SEAL_BYTES = 64


class Current:
    """What the endpoint serves. `kept` is the file that survives a restart.

    A document is written beside it before it is shown, and made durable in its place while it is
    shown: after a crash of ours no poller gets a document older than the one it had, and after a
    power cut there is a whole one. `published` is called after each publication.
    """

    def __init__(self, kept: Path) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # a link stays one; links in a circle
            kept = kept.resolve()
        self._kept, self._newer = kept, kept.with_name(f"{kept.name}.new")
        self._gzipped = kept.with_suffix(".gzip")
        self._is_restored_newer = False
        self.publication: Publication | None = None
        self.closing = asyncio.Event()
        self.published: Callable[[], None] = lambda: None

    def restore(self) -> bool:
        """Serve the kept document until the first rendering; whether there was a whole one.

        Where it was found, and as it was left: by its gzip alone where the last stop left that,
        else uncompressed, until `settle`. Nobody waits for the other form.
        """
        for path, read in ((self._newer, _whole), (self._kept, self._left)):
            with contextlib.suppress(OSError):
                restored = read(path)
                if restored is not None:
                    self.publication = restored
                    self._is_restored_newer = path == self._newer
                    return True
        return False

    def settle(self) -> None:
        """Have the restored document in both forms, and in its place, if a crash left it beside it.

        Else the next one would be written over it, while it is the only copy of what was served.
        """
        if self._is_restored_newer:
            self.sync()  # tried again with the next document
        restored = self.publication
        if restored is None:
            return
        body = restored.body  # inflated here, where nobody waits for it
        if not restored.gzipped:
            whole = encode_publication((body,), restored.digest)
            # The same event: whoever is held is not told of a new document.
            self.publication = replace(restored, gzipped=whole.gzipped)

    def leave_gzip(self) -> None:
        """At a stop: have the gzip where the next start finds it, which else compresses anew."""
        publication = self.publication
        if publication is None or not publication.gzipped:
            return
        with contextlib.suppress(OSError, RegistryError):
            head = f"{publication.digest} {_saved(self._kept)}\n".encode()
            mode = stat.S_IMODE(self._kept.stat().st_mode)  # as private as the document
            write_durably(self._gzipped, _sealed(head + publication.gzipped), mode=mode)

    def _left(self, path: Path) -> Publication | None:
        """A kept document, with its gzip if the last stop left that; alone, if nobody saved since.

        Raises OSError.
        """
        digest, saved, gzipped = self._left_gzip()
        if digest and saved == _saved(path) and digest == _digest_at_end(path):
            return Publication(digest, (), gzipped)
        whole = _whole(path)
        return replace(whole, gzipped=gzipped) if whole and whole.digest == digest else whole

    def _left_gzip(self) -> tuple[str, str, bytes]:
        """Of which document it is, and how that was saved; empty where it was not left whole."""
        with contextlib.suppress(OSError, ValueError):
            found = self._gzipped.read_bytes()
            content = found[_SEAL_BYTES:]
            if found == _sealed(content):
                head, _, gzipped = content.partition(b"\n")
                digest, _, saved = head.decode().partition(" ")
                return digest, saved, gzipped
        return "", "", b""

    def write(self, pieces: Iterable[bytes]) -> RegistryError | None:
        """Have these where the next start finds the document; a power cut may lose it."""
        try:
            with as_registry_errors(self._kept.name):
                self._kept.parent.mkdir(parents=True, exist_ok=True)
                with self._newer.open("wb", buffering=0) as file:
                    make_alike(self._kept, file.fileno(), _MODE)
                    write_all(file.fileno(), pieces)
        except RegistryError as error:
            with contextlib.suppress(OSError):
                self._newer.unlink(missing_ok=True)
            return error
        return None

    def sync(self) -> RegistryError | None:
        """Make what was written durable, in the place of the one before; serving goes on anyway."""
        try:
            with as_registry_errors(self._kept.name):
                sync_file(self._newer)
                self._newer.replace(self._kept)
                sync_folder(self._kept.parent)
        except RegistryError as error:
            return error
        return None

    def publish(self, publication: Publication) -> None:
        """Show it, and wake whoever waits on the one before."""
        before, self.publication = self.publication, publication
        if before is not None:
            before.superseded.set()
        self.published()

    def close(self) -> None:
        """Release every held request; called at shutdown."""
        self.closing.set()
        if self.publication is not None:
            self.publication.superseded.set()


def _whole(path: Path) -> Publication | None:
    """A kept document, if it is whole. Raises OSError."""
    body = path.read_bytes()
    digest = digest_of(body)
    return Publication(digest, (body,), b"") if digest is not None else None


def _digest_at_end(path: Path) -> str | None:
    """Which document a file has, by its end; None where that does not say it. Raises OSError."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _END_BYTES))
        return digest_at_end(file.read())


def _sealed(content: bytes) -> bytes:
    """Behind what shows that it is whole."""
    return hashlib.sha256(content).hexdigest().encode() + content


def _saved(path: Path) -> str:
    """What another save of a file changes. Raises OSError."""
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}"
