"""Records as they stand in the catalogue file, and folders whose catalogue people edit."""

from __future__ import annotations

import json
from typing import Any

from tests.daemons import Folders
from tests.records import OLD

FILLED_IN = ("environment_id", "owner", "created_at", "updated_at")


def record(slug: str, /, **changes: Any) -> dict[str, Any]:
    """A whole stored record that is active and routed; changes replace or add keys.

    Its id is `env-<slug>`, its host `<slug>.test`.
    """
    whole = {
        "environment_id": f"env-{slug}",
        "project_id": "nightshift",
        "slug": slug,
        "name": slug,
        "host": {"hostname": f"{slug}.test"},
        "owner": {"name": "Ines Okafor"},
        "lifecycle": {"state": "active"},
        "health": {"status": "unknown"},
        "metadata": {"router": {"service_url": "http://10.0.0.1:9000"}},
        "created_at": OLD,
        "updated_at": OLD,
    }
    return {**whole, **changes}


def keyless(slug: str, /, **changes: Any) -> dict[str, Any]:
    """A record as people write it: without the keys that are filled in."""
    whole = record(slug, **changes)
    return {key: value for key, value in whole.items() if key not in FILLED_IN}


def several(count: int) -> list[dict[str, Any]]:
    """As many routed records, `s00` and so on."""
    return [record(f"s{number:02}") for number in range(count)]


def text_of(*records: Any) -> str:
    """A catalogue of these, one a line or more; a record is a value, or its text."""
    texts = (each if isinstance(each, str) else json.dumps(each) for each in records)
    return '{"version": 1, "environments": [\n' + ",\n".join(texts) + "\n]}\n"


class Edited(Folders):
    """Folders whose catalogue is edited as by an editor that replaces the file."""

    def write(self, *records: Any) -> None:
        """Save a catalogue of these."""
        self.save(text_of(*records))

    def save(self, text: str) -> None:
        """Replace the catalogue's text in one step."""
        new = self.data / "environments.json~"
        new.write_text(text, "utf-8")
        new.replace(self.catalogue)

    def buffer(self) -> str:
        """The catalogue's text, as an editor that opens it now has it."""
        return self.catalogue.read_text("utf-8")

    def edit(self, slug: str, **changes: Any) -> None:
        """Change one record in a buffer that is read now, and save it."""
        records = self.stored()
        assert any(each["slug"] == slug for each in records)
        self.write(*({**r, **changes} if r["slug"] == slug else r for r in records))
