"""The publication in force: one reference, swapped, and written to disk before it is shown."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from provider.publication import Publication
from provider.sealed import sealed, unsealed
from registry.engines.durable import (
    as_registry_errors,
    make_alike,
    sync_file,
    sync_folder,
    write_all,
)
from registry.errors import RegistryError

_MODE = 0o644


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
        self._is_restored_newer = False
        self.publication: Publication | None = None
        self.closing = asyncio.Event()
        self.published: Callable[[], None] = lambda: None

    def restore(self) -> bool:
        """Serve the kept document until the first rendering; whether there was a whole one."""
        for path in (self._newer, self._kept):
            with contextlib.suppress(OSError):
                restored = unsealed(path.read_bytes())
                if restored is not None:
                    self.publication = restored
                    self._is_restored_newer = path == self._newer
                    return True
        return False

    def settle(self) -> None:
        """Have the restored document inflated, and in its place, if a crash left it beside it.

        Else the next one would be written over it, while it is the only copy of what was served.
        """
        if self._is_restored_newer:
            self.sync()  # tried again with the next document
        if self.publication is not None:
            _ = self.publication.body  # made here, where nobody waits for it

    def write(self, publication: Publication) -> RegistryError | None:
        """Have it where the next start finds the document; a power cut may lose it."""
        try:
            with as_registry_errors(self._kept.name):
                self._kept.parent.mkdir(parents=True, exist_ok=True)
                with self._newer.open("wb", buffering=0) as file:
                    make_alike(self._kept, file.fileno(), _MODE)
                    write_all(file.fileno(), sealed(publication))
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
