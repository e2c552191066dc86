"""People with editors: each reads the file, changes a record of its own, and saves the whole."""

from __future__ import annotations

import asyncio
import json
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.folder import TOKEN, Folder, record, text_of
from tests.chaos.form import amount

THINK_S, LONG_THINK_S = 0.03, amount(0.5, 2.5)
_PAUSE_S = 0.03
_SETTLES_S = 5.0
_LOOK_AGAIN_S = 0.002


@dataclass
class Desk:
    """What editors share: editors would undo each other's saves by themselves, so they take turns.

    `saved` is the token that each of their records has since its last save, None for one taken
    away; `wrote` are all the tokens that there ever were.
    """

    folder: Folder
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    saved: dict[str, str | None] = field(default_factory=dict)
    wrote: set[tuple[str, str | None]] = field(default_factory=set)


class Editor(ABC):
    """Changes, adds and removes its own records alone."""

    def __init__(self, name: str, desk: Desk, seed: int) -> None:
        self.desk, self.folder = desk, desk.folder
        self._random = random.Random(f"{seed}/{name}")
        self.records = [
            record(f"{name}-{n}", f"{name}-{n} as made", routed=n < 2) for n in range(3)
        ]
        self.saved, self.wrote = desk.saved, desk.wrote
        self.saved.update({each["environment_id"]: each[TOKEN] for each in self.records})
        self.wrote.update(self.saved.items())
        self.saves = 0
        self.lost: list[str] = []
        self.kept_aside: list[str] = []

    async def edit_until(self, stop: asyncio.Event) -> None:
        """Edit until told to stop."""
        while not stop.is_set():
            async with self.desk.turn:
                await self._edit()
            await asyncio.sleep(self._random.uniform(0, _PAUSE_S))

    async def _edit(self) -> None:
        records = await self._open()
        long = self._random.random() < 0.03  # over a restart of the daemon, as likely as not
        await asyncio.sleep(self._random.uniform(0, LONG_THINK_S if long else THINK_S))
        mine = self._random.choice(self.records)
        environment_id = mine["environment_id"]
        self.saves += 1
        token: str | None = f"{mine['slug']} ~{self.saves}"
        others = [each for each in records if each["environment_id"] != environment_id]
        if mine is self.records[2] and len(others) < len(records) and self._random.random() < 0.3:
            token = None  # never a routed one: an edit that drops most routes would be held
        elif len(others) == len(records):
            records = [*records, {**mine, TOKEN: token}]
        else:
            same = {**mine, TOKEN: token}
            records = [same if r["environment_id"] == environment_id else r for r in records]
        self.wrote.add((environment_id, token))
        await self.save(text_of(others if token is None else records))
        self.saved[environment_id] = token

    async def _open(self) -> list[dict[str, Any]]:
        """The file's records, with those of all editors as saved: else the last save is lost."""
        deadline_s = asyncio.get_running_loop().time() + _SETTLES_S
        while True:
            records = self.read()
            found = {each["environment_id"]: each[TOKEN] for each in records}
            strange = {
                key: (found.get(key), token)
                for key, token in self.saved.items()
                if found.get(key) != token
            }
            if not strange:
                return records
            # A daemon that just placed its own text may be about to put the save back.
            if asyncio.get_running_loop().time() > deadline_s:
                self._note(strange)
                return records
            await asyncio.sleep(_LOOK_AGAIN_S)

    def _note(self, strange: dict[str, tuple[str | None, str | None]]) -> None:
        aside = "".join(self.folder.late())
        for environment_id, (found, token) in strange.items():
            words = f"{environment_id}: saved {token!r}, in the file {found!r}"
            kept = token is None or json.dumps(token) in aside
            (self.kept_aside if kept else self.lost).append(words)
            self.saved[environment_id] = found

    def read(self) -> list[dict[str, Any]]:
        """The records of the file; whoever writes it writes it whole."""
        whole = json.loads(self.folder.catalogue.read_text("utf-8"))
        return list(whole["environments"])

    @abstractmethod
    async def save(self, text: str) -> None:
        """Write the file."""


class RenamingEditor(Editor):
    """Writes a new file beside the old one and renames it over."""

    async def save(self, text: str) -> None:
        """As vim and most others do."""
        new = self.folder.catalogue.with_name("environments.json.editing")
        new.write_text(text, "utf-8")
        if self._random.random() < 0.5:
            await asyncio.sleep(self._random.uniform(0, 0.004))
        new.replace(self.folder.catalogue)


class InPlaceEditor(Editor):
    """Truncates the file and writes it anew, sometimes with a pause in the middle."""

    async def save(self, text: str) -> None:
        """As nano and most scripts do."""
        with self.folder.catalogue.open("w", encoding="utf-8") as file:
            if self._random.random() < 0.5:
                file.write(text[: len(text) // 2])
                file.flush()
                await asyncio.sleep(self._random.uniform(0, 0.004))
                file.write(text[len(text) // 2 :])
            else:
                file.write(text)


def make_editors(folder: Folder, seed: int) -> Sequence[Editor]:
    """One of each kind; the file begins with their records."""
    desk = Desk(folder)
    editors = (RenamingEditor("renamer", desk, seed), InPlaceEditor("in-placer", desk, seed))
    records = [each for editor in editors for each in editor.records]
    folder.catalogue.write_text(text_of(records), "utf-8")
    return editors
