"""Which records we wrote a short while ago: what a save of an older copy would undo. Pure."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from registry.revisions import BY_US, Revision

RECENT = timedelta(minutes=15)


class RecentWrites:
    """The ids of the records that we wrote, and of those that we made, within `RECENT`.

    Each with the time of the last such write. No states are kept: of many writes they are many.
    """

    def __init__(self) -> None:
        self.written: OrderedDict[str, datetime] = OrderedDict()
        self.made: OrderedDict[str, datetime] = OrderedDict()

    def note(self, revision: Revision) -> None:
        """A change by whomever; they come oldest first."""
        if revision.author.source in BY_US:
            is_new = revision.before is None
            for times in (self.written, self.made) if is_new else (self.written,):
                times[revision.environment_id] = revision.at
                times.move_to_end(revision.environment_id)

    def forget(self, now: datetime) -> None:
        """Forget what is not recent any more."""
        for times in (self.written, self.made):
            while times and now - next(iter(times.values())) >= RECENT:
                times.popitem(last=False)
