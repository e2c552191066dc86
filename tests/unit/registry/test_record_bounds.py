"""What holds between the fields of a record, and the bounds of its open part."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from registry import codec
from registry.errors import FieldError
from registry.schema import ROUTED_STATES, Environment, field_errors
from tests.records import environment, record, router

TAGS_LEFT = 64 * 1024 - len(json.dumps({"t": ""}))


def faults(**changes: Any) -> list[FieldError]:
    """What a record is refused for."""
    with pytest.raises(ValidationError) as raised:
        environment(**changes)
    return list(field_errors(raised.value))


def pointers(**changes: Any) -> list[str]:
    """Where a record is refused."""
    return [fault.pointer for fault in faults(**changes)]


def web(number: int = 80, **more: Any) -> dict[str, Any]:
    """One port."""
    return {"name": f"web-{number}", "port": number, **more}


@pytest.mark.parametrize("number", [1, 80, 65535])
def test_a_port_is_1_to_65535(number: int) -> None:
    assert environment(ports=[web(number)]).ports[0].port == number


@pytest.mark.parametrize("number", [0, -1, 65536])
def test_another_port_is_refused(number: int) -> None:
    assert pointers(ports=[{"name": "web", "port": number}]) == ["/ports/0/port"]


def test_a_record_has_at_most_100_ports() -> None:
    assert len(environment(ports=[web(n) for n in range(1, 101)]).ports) == 100
    assert pointers(ports=[web(n) for n in range(1, 102)]) == ["/ports"]


@pytest.mark.parametrize("name", ["", "a b", "-a", "a" * 64, "a/b", "ä", "a\n"])
def test_a_port_name_is_a_plain_word(name: str) -> None:
    assert pointers(ports=[{"name": name, "port": 80}]) == ["/ports/0/name"]


def test_two_ports_of_one_name_are_refused_at_the_second() -> None:
    twice = [web(80), web(81), {"name": "web-80", "port": 82}]
    assert faults(ports=twice) == [
        FieldError("/ports/2/name", "a second port is named 'web-80'"),
    ]


def test_a_free_key_of_metadata_is_kept_as_it_was_written() -> None:
    tags = {
        "dns_zones": ["a.test"],
        "n": 1.5,
        "deep": {"ü": [None, True, {"x": "y"}]},
        "big": 2**70,
    }
    assert environment(metadata=tags).document["metadata"] == tags


def test_the_router_is_kept_as_it_was_written() -> None:
    given = router(hostnames=["APP.test."], path_prefix="//app/", middlewares=None)
    assert environment(**given).document["metadata"] == given["metadata"]


def test_metadata_may_be_20_levels_deep_and_no_deeper() -> None:
    def nested(levels: int) -> Any:
        return {"x": nested(levels - 1)} if levels else 1

    assert environment(metadata=nested(20)).metadata is not None
    assert pointers(metadata=nested(21)) == ["/metadata"]
    assert pointers(metadata={"x": json.loads("[" * 500 + "]" * 500)}) == ["/metadata"]


def test_metadata_has_at_most_64_kib_of_utf_8() -> None:
    assert environment(metadata={"t": "x" * TAGS_LEFT}).metadata is not None
    assert pointers(metadata={"t": "x" * (TAGS_LEFT + 1)}) == ["/metadata"]
    assert pointers(metadata={"t": "ü" * (TAGS_LEFT // 2 + 1)}) == ["/metadata"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "half \udc00", {"\ud800": 1}])
def test_metadata_is_what_json_can_hold(value: Any) -> None:
    assert pointers(metadata={"x": value}) == ["/metadata"]


def test_every_fault_of_a_record_is_said_at_once() -> None:
    wrong = {"name": "", "host": {"hostname": "a b"}, "zone": 1, "health": {"status": "fine"}}
    assert set(pointers(**wrong)) == {"/name", "/host/hostname", "/zone", "/health/status"}


def test_the_words_of_a_fault_say_what_would_be_right() -> None:
    words = {fault.pointer: fault.message for fault in faults(zone=1, name=" ", host={"ip": "x"})}
    assert words == {
        "/zone": "unknown key; free keys belong in metadata",
        "/name": "must be a text that is not blank",
        "/host/ip": "must be an IP address, for example '192.0.2.7' or '2001:db8::7'",
    }


def test_the_words_about_a_wildcard_before_an_address_are_a_sentence() -> None:
    fault = faults(**router(hostnames=["*.192.0.2.7"]))[0]
    assert not fault.message.startswith("must be a wildcard goes")


def test_a_fault_with_braces_in_its_words_is_said_to_the_letter() -> None:
    fault = faults(ports=[web(80)], **router(service_url=None, port="{web}"))[0]
    assert fault.message == "no port is named '{web}'; named ports: 'web-80'"


@pytest.mark.parametrize("state", ["planned", "active", "maintenance", "retired"])
def test_only_active_and_maintenance_are_routed(state: str) -> None:
    routed = environment(lifecycle={"state": state}, **router()).routed
    assert routed is (state in ("active", "maintenance"))
    assert routed is (state in ROUTED_STATES)


def test_without_a_router_nothing_is_routed() -> None:
    assert environment().routed is False
    assert environment(metadata={"router": None}).routed is False


def test_an_omitted_optional_field_is_stored_as_null_or_empty() -> None:
    document = environment().document
    assert document["description"] is None
    assert document["host"]["region"] is None
    assert (document["ports"], document["metadata"]) == ([], {})


def test_the_revision_changes_with_every_stored_field() -> None:
    revisions = {
        environment(**changes).revision
        for changes in (
            {},
            {"name": "Other"},
            {"health": {"notes": "x"}},
            {"metadata": {"x": 1}},
            {"updated_at": "2026-02-02T00:00:00Z"},
        )
    }
    assert len(revisions) == 5
    assert environment().revision == environment().revision


def test_a_record_is_not_changed_by_validating_it() -> None:
    given = record(**router(hostnames=["APP.test"]))
    before = json.dumps(given)
    Environment.model_validate(given)
    assert json.dumps(given) == before


def test_a_stored_text_has_the_bounds_of_a_body() -> None:
    """Many short values take half as much space again once there is white space between them."""
    tags = {"t": [1] * 25_000}
    assert len(json.dumps(tags, separators=(",", ":"))) < 64 * 1024 < len(json.dumps(tags))
    assert pointers(metadata=tags) == ["/metadata"]
    text = json.dumps({**record(), "metadata": tags})
    assert [fault.pointer for fault in codec.decode(text, lambda _: None).errors] == ["/metadata"]
