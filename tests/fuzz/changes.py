"""Random changes of one folder: through the API, by hand in many ways, and both at once."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from dataclasses import dataclass, field
from typing import Any

from tests.api.bodies import body, routed, stored
from tests.api.steps import ALL
from tests.conftest import WORKSPACES
from tests.daemons import Daemon, Folders
from tests.unit.provider.observe.pems import pem, put

SLUGS = [f"s{number}" for number in range(14)]
STATES = ["active", "active", "maintenance", "planned", "retired"]
PROJECTS = ["nightshift", "nightshift", "storefront", "unknown"]
TLS = {"cert_file": "app.crt", "key_file": "app.key"}
_NOISE = ["{", '{"slug": "s1", "slug": "s2"}', "7", '"ü"', "null", '{"environment_id": "env-s3"}']
Record = dict[str, Any]


@dataclass
class Changes:
    """Makes them; `seed` decides which."""

    daemon: Daemon
    dice: random.Random
    buffers: list[str] = field(default_factory=list)

    @property
    def folders(self) -> Folders:
        """Those of the daemon."""
        return self.daemon.folders

    async def some(self) -> str:
        """One to three changes, one after the other or all at once; what they were."""
        self.buffers.append(self.folders.catalogue.read_text())
        ways = [self.by_api, self.by_hand, self.by_old_hand, self.of_files]
        chosen = self.dice.choices(ways, weights=[5, 4, 1, 2], k=self.dice.randint(1, 3))
        if self.dice.random() < 0.5:
            said = await asyncio.gather(*(change() for change in chosen))
        else:
            said = [await change() for change in chosen]
        return "; ".join(said)

    async def by_api(self) -> str:
        """One of the writes, or its rehearsal."""
        slug, dice = self.dice.choice(SLUGS), self.dice
        dry, one = dice.choice(["", "", "", "?dry_run=1"]), f"{ALL}/{self.known()}"
        section = self.router()
        value = {**body(slug), "environment_id": f"env-{slug}", **self.shape()}
        patches: list[Record] = [
            {"name": f"Name {dice.randint(1, 9)} ü"},
            {"lifecycle": {"state": dice.choice(STATES)}},
            {"metadata": {"router": section}},
            {"metadata": {"router": {"hostnames": self.hosts()}}},
            {"slug": dice.choice(SLUGS)},
            {"project_id": dice.choice(PROJECTS[:3])},
        ]
        method, path, sent = dice.choice(
            [
                ("POST", ALL, value),
                ("POST", ALL, value),
                ("PUT", one, value),
                ("DELETE", one, None),
                *(("PATCH", one, patch) for patch in patches),
            ]
        )
        answer = await self.daemon.call(method, f"{path}{dry}", json=sent)
        assert answer.status < 500, (method, path, sent, answer.content)
        return f"{method} {path}{dry} {sent} -> {answer.status}"

    def known(self) -> str:
        """The id of a record of the file, where there is one with an id."""
        records = [each for each in self.stored() if isinstance(each, dict)]
        ids = [str(each["environment_id"]) for each in records if "environment_id" in each]
        return self.dice.choice(ids or ["env-s0"])

    def router(self) -> Record:
        """A section that claims one or two of few hosts."""
        own = self.dice.choice([{}, {"tls": TLS}, {"tls": TLS}, {"path_prefix": "/api"}])
        return {"service_url": "http://127.0.0.1:9001", "hostnames": self.hosts(), **own}

    def hosts(self) -> list[str]:
        """Few host names, so that records meet."""
        return [f"h{number}.test" for number in self.dice.sample(range(12), 2)]

    def shape(self) -> Record:
        """What a whole record is about."""
        changes = routed(state=self.dice.choice(STATES), **self.router())
        return {**changes, "project_id": self.dice.choice(PROJECTS)}

    async def by_hand(self) -> str:
        """One save of the file, with few or many records changed."""
        records = self.stored()
        kinds = self.dice.choices(_EDITS, k=self.dice.randint(1, 2))
        if self.dice.random() < 0.4:
            kinds.append(mended)
        for kind in kinds:
            records = kind(self.dice, records, self.shape())
        self.save([each if isinstance(each, str) else json.dumps(each) for each in records])
        return f"by hand {[kind.__name__ for kind in kinds]}"

    async def by_old_hand(self) -> str:
        """A save of what the file was a while ago, and then perhaps an edit of that."""
        self.folders.catalogue.write_text(self.dice.choice(self.buffers[-6:]))
        more = await self.by_hand() if self.dice.random() < 0.5 else "nothing"
        return f"an old buffer, then {more}"

    def stored(self) -> list[Any]:
        """The records of the file; others where it is cut off."""
        try:
            whole = json.loads(self.folders.catalogue.read_text())
        except ValueError:
            return [stored(slug, **self.shape()) for slug in SLUGS[:6]]
        return list(whole["environments"] if isinstance(whole, dict) else whole)

    def save(self, texts: list[str]) -> None:
        """In place, by rename, in another layout, or cut off and then whole."""
        whole = '{"version": 1, "environments": [' + ",\n".join(texts) + "]}\n"
        way = self.dice.choice(["in place", "rename", "bare", "torn"])
        file = self.folders.catalogue
        if way == "bare":
            file.write_text(f"[\n{', '.join(texts)}]")
        elif way == "rename":
            beside = file.with_name("saved")
            beside.write_text(whole)
            beside.rename(file)
        else:
            if way == "torn":
                file.write_text(whole[: self.dice.randrange(len(whole))])
            file.write_text(whole)

    async def of_files(self) -> str:
        """A rotated certificate, or a workspace that changes, goes or comes back."""
        kind = self.dice.choice(["certificate", "workspace", "gone", "back"])
        spec = self.folders.projects / "storefront" / "project.json"
        if kind == "certificate":
            pair = pem(serial=self.dice.randrange(3))
            put(self.folders.certificates, "app", pair, only=self.dice.choice(["both", "key"]))
        elif kind == "gone":
            shutil.rmtree(spec.parent, ignore_errors=True)
        else:
            spec.parent.mkdir(exist_ok=True)
            name = f"Name {self.dice.randint(1, 9)}" if kind == "workspace" else "Storefront"
            spec.write_text(json.dumps({**WORKSPACES["storefront"], "name": name}))
        return kind


def reordered(dice: random.Random, records: list[Any], _shape: Record) -> list[Any]:
    """The same in another order."""
    return dice.sample(records, len(records))


def doubled(dice: random.Random, records: list[Any], shape: Record) -> list[Any]:
    """One of them twice, the same or changed."""
    some = [dict(each) for each in records if isinstance(each, dict)]
    double = [{**dice.choice(some), **dice.choice([{}, shape])}] if some else []
    return dice.choice([records + double, double + records])


def dropped(dice: random.Random, records: list[Any], _shape: Record) -> list[Any]:
    """One or two less."""
    return dice.sample(records, max(0, len(records) - dice.randint(1, 2)))


def added(dice: random.Random, records: list[Any], shape: Record) -> list[Any]:
    """One more, whole or without what is filled in."""
    slug, at = dice.choice(SLUGS), dice.randint(0, len(records))
    new = stored(slug, **shape)
    for key in dice.choice([[], ["owner"], ["environment_id", "owner", "created_at"]]):
        new.pop(key)
    return [*records[:at], new, *records[at:]]


def changed(dice: random.Random, records: list[Any], shape: Record) -> list[Any]:
    """One of them otherwise: its shape, its names, or broken."""
    if not records:
        return records
    at = dice.randrange(len(records))
    slug = dice.choice(SLUGS)
    what: list[Any] = [
        shape,
        {"slug": slug},
        {"environment_id": f"env-{slug}"},
        {"lifecycle": {"state": "asleep"}},
        {"host": 5},
        {"created_at": "2025-01-01T00:00:00Z"},
    ]
    old = records[at] if isinstance(records[at], dict) else stored(slug)
    return [*records[:at], {**old, **dice.choice(what)}, *records[at + 1 :]]


def swapped(dice: random.Random, records: list[Any], _shape: Record) -> list[Any]:
    """Two slugs change places."""
    pair = [index for index, each in enumerate(records) if isinstance(each, dict)]
    if len(pair) < 2:
        return records
    one, two = dice.sample(pair, 2)
    result = list(records)
    result[one] = {**records[one], "slug": records[two].get("slug", "s0")}
    result[two] = {**records[two], "slug": records[one].get("slug", "s1")}
    return result


def noisy(dice: random.Random, records: list[Any], _shape: Record) -> list[Any]:
    """One is no record at all."""
    return [*records, dice.choice(_NOISE[1:])]


def mended(_dice: random.Random, records: list[Any], _shape: Record) -> list[Any]:
    """All that is certainly broken goes, and of two with one name the second."""
    kept: list[Any] = []
    names: set[object] = set()
    for each in records:
        mine = {each.get("environment_id", "none"), each["slug"]} if _is_whole(each) else names
        if not (names & mine or mine is names):
            kept.append(each)
            names |= mine
    return kept


def _is_whole(value: Any) -> bool:
    lifecycle = value.get("lifecycle") if isinstance(value, dict) else None
    is_good = lifecycle is not None and lifecycle["state"] in STATES
    return is_good and isinstance(value.get("host"), dict) and value["project_id"] != "unknown"


_EDITS = [reordered, doubled, dropped, added, added, changed, changed, swapped, noisy]
