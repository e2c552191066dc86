"""What records share, and what they do not keep: nobody sees it but the memory."""

from __future__ import annotations

import copy
from typing import Any

from registry.schema import Environment

_AT = "2026-01-01T00:00:00Z"


def _record(slug: str, **more: Any) -> dict[str, Any]:
    return {
        "environment_id": f"env-{slug}",
        "project_id": "nightshift",
        "slug": slug,
        "name": slug,
        "host": {"hostname": f"{slug}.test"},
        "ports": [{"name": "web", "port": 8080}, {"name": "db", "port": 5432}],
        "owner": {"name": "Ada", "email": "ada@nightshift.example"},
        "lifecycle": {"state": "active", "changed_at": _AT},
        "health": {"status": "unknown"},
        **more,
    }


def test_equal_parts_of_two_records_are_one_object() -> None:
    """Owner, lifecycle, health, and each port."""
    one, other = map(Environment.model_validate, (_record("one"), _record("other")))
    assert one.owner is other.owner
    assert one.lifecycle is other.lifecycle
    assert one.health is other.health
    assert all(a is b for a, b in zip(one.ports, other.ports, strict=True))


def test_parts_that_differ_in_one_field_stay_apart() -> None:
    """A value where another part has none is another part, too."""
    one = Environment.model_validate(_record("one"))
    ports = [{"name": "web", "port": 8081}, {"name": "db", "port": 5432, "protocol": "tcp"}]
    other = Environment.model_validate(_record("other", owner={"name": "Ada"}, ports=ports))
    assert other.owner.email is None
    assert (one.owner.email, one.ports[0].port) == ("ada@nightshift.example", 8080)
    assert (other.ports[0].port, other.ports[1].protocol) == (8081, "tcp")


def test_metadata_come_out_as_given_with_the_types_and_the_order_of_their_values() -> None:
    """1, 1.0 and true stay apart, in whatever depth."""
    given = {"z": [1, 1.0, True, None, -0.0, 10**30], "a": {"é": "\u2028", "router": "no section"}}
    document = Environment.model_validate(_record("one", metadata=given)).document
    assert repr(document["metadata"]) == repr(given)


def test_what_becomes_of_the_given_values_later_is_nothing_to_the_record() -> None:
    """Nor does who changes one document change the next one."""
    given = {"tags": ["blue"]}
    environment = Environment.model_validate(_record("one", metadata=given))
    before = copy.deepcopy(environment.document)
    given["tags"].append("red")
    environment.forget_document()
    assert environment.document == before
