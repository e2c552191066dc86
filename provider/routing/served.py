"""Since when one Traefik runs what it runs of each environment. Pure: times are given.

Kept by what changed, so that neither the number of documents since then nor what became of others
has a say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from provider.document_log import DocumentLog, LoggedDocument


@dataclass
class ServedSince:
    """What is not named began at `_from`: the first document, or one after a gap."""

    _from: datetime
    _since: dict[str, datetime] = field(default_factory=dict)

    def run(
        self,
        log: DocumentLog,
        old: LoggedDocument | None,
        new: LoggedDocument | None,
        now: datetime,
    ) -> None:
        """It runs another document; None is one that is not known: nothing is sure across it."""
        if old is None or new is None:
            self._from, self._since = now, {}
            return
        for each in log.changed(old, new):
            if log.share(each, new) is None:
                self._since.pop(each, None)
            else:
                self._since[each] = now

    def since(self, environment_id: str) -> datetime:
        """When it was first seen to run what it now has of an environment, without a break."""
        return self._since.get(environment_id, self._from)
