"""The fields of a record: their bounds, what they refuse, and the pointer that says where."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from registry.fields import _PLAIN_ADDRESS, instant_text, parse_instant
from registry.router_spec import _PLAIN_ENTRYPOINT, _entrypoint
from registry.schema import Environment, field_errors
from tests.records import GONE, environment, record


def pointers(**changes: Any) -> list[str]:
    """The places that a record is refused for; none when it is taken."""
    try:
        environment(**changes)
    except ValidationError as error:
        return [fault.pointer for fault in field_errors(error)]
    return []


def test_the_record_that_tests_start_from_is_valid() -> None:
    assert pointers() == []


@pytest.mark.parametrize("slug", ["a", "0", "a-b", "a--b", "a" * 63])
def test_a_slug_is_1_to_63_of_lower_case_letters_digits_and_hyphens(slug: str) -> None:
    assert pointers(slug=slug) == []


@pytest.mark.parametrize("slug", ["", "A", "a_b", "a.b", "-a", "a-", "ä", "a" * 64, "a\n", "a b"])
def test_another_slug_is_refused(slug: str) -> None:
    others = {"environment_id": "env-dev", "host": {"hostname": "dev.test"}}
    assert pointers(slug=slug, **others) == ["/slug"]


@pytest.mark.parametrize("given", ["a", "env-dev-0a1b2c", "9", "a" * 80])
def test_an_environment_id_has_1_to_80_characters(given: str) -> None:
    assert pointers(environment_id=given) == []


@pytest.mark.parametrize("given", ["", "-a", "a-", "A", "a/b", "a.b", "a" * 81, "a\n", None, 1])
def test_another_environment_id_is_refused(given: Any) -> None:
    assert pointers(environment_id=given) == ["/environment_id"]


@pytest.mark.parametrize("given", ["a", "0.x_y-z", "a" * 64])
def test_a_project_id_has_1_to_64_characters(given: str) -> None:
    assert pointers(project_id=given) == []


@pytest.mark.parametrize(
    "given", ["", ".", "..", ".a", "_a", "-a", "a/b", "../a", "A", "a" * 65, "a\n"]
)
def test_a_project_id_is_never_a_path(given: str) -> None:
    assert pointers(project_id=given) == ["/project_id"]


@pytest.mark.parametrize("given", ["", " ", "\t\n"])
def test_a_name_is_not_blank(given: str) -> None:
    assert pointers(name=given) == ["/name"]
    assert pointers(owner={"name": given}) == ["/owner/name"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": "x" * 2001}, "/name"),
        ({"description": "x" * 2001}, "/description"),
        ({"host": {"notes": "x" * 2001}}, "/host/notes"),
        ({"owner": {"slack": "x" * 2001}}, "/owner/slack"),
        ({"lifecycle": {"notes": "x" * 2001}}, "/lifecycle/notes"),
        ({"health": {"notes": "x" * 2001}}, "/health/notes"),
        ({"health": {"url": "http://a/" + "x" * 2000}}, "/health/url"),
    ],
)
def test_a_text_has_at_most_2000_characters(changes: dict[str, Any], pointer: str) -> None:
    assert pointers(**changes) == [pointer]


def test_2000_characters_are_taken_however_many_bytes_they_are() -> None:
    assert pointers(description="ü" * 2000) == []


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"project_id": GONE}, "/project_id"),
        ({"name": GONE}, "/name"),
        ({"host": GONE}, "/host"),
        ({"host": {"hostname": GONE}}, "/host/hostname"),
        ({"owner": GONE}, "/owner"),
        ({"owner": {"name": GONE}}, "/owner/name"),
        ({"lifecycle": GONE}, "/lifecycle"),
        ({"lifecycle": {"state": GONE}}, "/lifecycle/state"),
        ({"health": GONE}, "/health"),
        ({"health": {"status": GONE}}, "/health/status"),
    ],
)
def test_a_missing_required_field_is_a_fault(changes: dict[str, Any], pointer: str) -> None:
    assert pointers(**changes) == [pointer]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"zone": 1}, "/zone"),
        ({"host": {"os": "x"}}, "/host/os"),
        ({"owner": {"phone": "1"}}, "/owner/phone"),
        ({"lifecycle": {"since": "x"}}, "/lifecycle/since"),
        ({"health": {"state": "x"}}, "/health/state"),
        ({"ports": [{"name": "web", "port": 1, "path": "/"}]}, "/ports/0/path"),
        ({"a/b": 1}, "/a~1b"),
    ],
)
def test_an_unknown_key_outside_metadata_is_refused(changes: dict[str, Any], pointer: str) -> None:
    assert pointers(**changes) == [pointer]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": 7}, "/name"),
        ({"host": "dev.test"}, "/host"),
        ({"ports": {}}, "/ports"),
        ({"ports": [{"name": "web", "port": "80"}]}, "/ports/0/port"),
        ({"ports": [{"name": "web", "port": True}]}, "/ports/0/port"),
        ({"ports": [{"name": "web", "port": 80.5}]}, "/ports/0/port"),
        ({"lifecycle": {"state": "Active"}}, "/lifecycle/state"),
        ({"health": {"status": None}}, "/health/status"),
        ({"metadata": []}, "/metadata"),
        ({"name": "half \ud800"}, "/name"),
    ],
)
def test_nothing_is_converted(changes: dict[str, Any], pointer: str) -> None:
    assert pointers(**changes) == [pointer]


@pytest.mark.parametrize("ip", ["192.0.2.7", "2001:db8::7", None])
def test_an_address_is_an_ip_literal_or_null(ip: str | None) -> None:
    assert pointers(host={"ip": ip}) == []


@pytest.mark.parametrize("ip", ["", "dev.test", "192.0.2.7:80", "192.0.2.256", "[2001:db8::7]"])
def test_another_address_is_refused(ip: str) -> None:
    assert pointers(host={"ip": ip}) == ["/host/ip"]


@pytest.mark.parametrize(
    "url",
    ["ftp://a", "//a", "a.test/x", "http://", "http:///x", "http://me:pw@a/", "http://a b/", ""],
)
def test_a_health_url_is_http_without_user_information(url: str) -> None:
    assert pointers(health={"url": url}) == ["/health/url"]


def test_a_port_may_have_a_url_of_any_scheme_but_no_user_information() -> None:
    def web(url: str) -> dict[str, Any]:
        return {"ports": [{"name": "web", "port": 80, "url": url}]}

    assert pointers(**web("postgres://db.test:5432/shop?ssl=on")) == []
    assert pointers(**web("postgres://me:pw@db.test/shop")) == ["/ports/0/url"]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2026-01-05T09:00:00Z", "2026-01-05T09:00:00Z"),
        ("2026-01-05T10:00:00+01:00", "2026-01-05T09:00:00Z"),
        ("2026-01-05t09:00:00z", "2026-01-05T09:00:00Z"),
        ("2026-01-05 09:00:00.5Z", "2026-01-05T09:00:00.500Z"),
        ("2026-01-05T09:00:00.123456Z", "2026-01-05T09:00:00.123456Z"),
    ],
)
def test_a_time_is_kept_in_utc_with_z(written: str, kept: str) -> None:
    assert environment(created_at=written).document["created_at"] == kept
    assert instant_text(parse_instant(kept)) == kept


@pytest.mark.parametrize(
    "written",
    ["2026-01-05", "2026-01-05T09:00:00", "2026-01-05T09:00Z", "yesterday", "", 1767603600],
)
def test_a_time_without_its_offset_is_refused(written: Any) -> None:
    assert pointers(created_at=written) == ["/created_at"]


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_a_time_outside_of_the_calendar_in_utc_is_refused(written: str) -> None:
    assert pointers(created_at=written) == ["/created_at"]


def test_a_time_that_is_one_already_is_taken() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert Environment.model_validate(record() | {"created_at": noon}).created_at == noon


@given(st.from_regex(_PLAIN_ENTRYPOINT, fullmatch=True))
def test_a_plain_entrypoint_is_one_that_the_whole_check_takes(name: str) -> None:
    _entrypoint(name)


@given(st.from_regex(_PLAIN_ADDRESS, fullmatch=True))
def test_a_plain_address_is_one_that_the_whole_check_takes(address: str) -> None:
    assert str(ipaddress.ip_address(address)) == address


@pytest.mark.parametrize("part", ["host", "owner", "lifecycle", "health"])
def test_a_part_is_an_object(part: str) -> None:
    with pytest.raises(ValidationError) as raised:
        environment(**{part: "a text"})
    fault = field_errors(raised.value)[0]
    assert (fault.pointer, fault.message) == (f"/{part}", "must be an object")
