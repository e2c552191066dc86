"""Bodies as bytes: media type, size, JSON that is none, and JSON that means trouble."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.bodies import body
from tests.api.steps import ALL, create, refused
from tests.daemons import Answer, Daemon

JSON = {"Content-Type": "application/json"}
ONE_MIB = 1024 * 1024


async def post(daemon: Daemon, content: Any, **headers: str) -> Answer:
    """A POST of these bytes."""
    return await daemon.call("POST", ALL, data=content, headers=headers or JSON)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("{", 1, 2),
        ('{"slug": "a",\n "name": }', 2, 10),
        ('{"slug": "a"} x', 1, 15),
        ("{'slug': 1}", 1, 2),
        ('{"port": NaN}', 1, 1),
        ('{"slug": 1, "slug": 2}', 1, 1),
    ],
    ids=["nothing", "cut off", "no value", "more after it", "quotes", "NaN", "a key twice"],
)
async def test_what_is_not_json_is_400_with_line_and_column(
    daemon: Daemon, text: str, line: int, column: int
) -> None:
    problem = refused(await post(daemon, text), 400, "malformed_json")
    assert (problem["line"], problem["column"]) == (line, column)
    assert f"line {line}, column {column}" in problem["detail"]


async def test_a_duplicate_key_is_named(daemon: Daemon) -> None:
    text = json.dumps(body()).replace('"name"', '"slug": "other", "name"')
    assert '"slug"' in refused(await post(daemon, text), 400, "malformed_json")["detail"]


async def test_a_duplicate_key_deep_inside_is_refused_too(daemon: Daemon) -> None:
    text = json.dumps(body(metadata={"a": [{"x": 1}]})).replace('"x": 1', '"x": 1, "x": 2')
    refused(await post(daemon, text), 400, "malformed_json")


async def test_bytes_that_are_not_utf_8_are_400(daemon: Daemon) -> None:
    refused(await post(daemon, b'{"name": "\xff"}'), 400, "malformed_json")


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json",
     "application/json; charset=latin-1"],
)  # fmt: skip
async def test_another_media_type_is_415(daemon: Daemon, media_type: str) -> None:
    answer = await post(daemon, json.dumps(body()), **{"Content-Type": media_type})
    assert "application/json" in refused(answer, 415, "unsupported_media_type")["detail"]


async def test_no_media_type_is_415_with_a_body_or_without(daemon: Daemon) -> None:
    for content in (json.dumps(body()).encode(), None):
        answer = await daemon.call("POST", ALL, data=content, skip_auto_headers=["Content-Type"])
        refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_json_in_utf_8_is_taken_however_it_is_spelt(daemon: Daemon, media_type: str) -> None:
    answer = await post(daemon, json.dumps(body()), **{"Content-Type": media_type})
    assert answer.status == 201


async def test_a_body_of_one_mib_is_read_and_a_byte_more_is_413(daemon: Daemon) -> None:
    text = json.dumps(body()).encode()
    refused(await post(daemon, text.ljust(ONE_MIB + 1)), 413, "too_large")
    assert (await post(daemon, text.ljust(ONE_MIB))).status == 201


async def test_a_body_without_a_length_has_the_same_bound(daemon: Daemon) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(33):
            yield b" " * (ONE_MIB // 32)

    refused(await post(daemon, chunks()), 413, "too_large")


async def test_a_gzipped_body_has_the_bound_of_what_it_unpacks_to(daemon: Daemon) -> None:
    bomb = gzip.compress(b" " * (8 * ONE_MIB))
    answer = await post(daemon, bomb, **JSON, **{"Content-Encoding": "gzip"})
    refused(answer, 413, "too_large")


async def test_a_body_that_does_not_unpack_is_the_callers_fault(daemon: Daemon) -> None:
    answer = await post(daemon, b"{}", **JSON, **{"Content-Encoding": "gzip"})
    assert answer.status in (400, 415), answer.content


@pytest.mark.parametrize("levels", [21, 500, 950, 980, 1000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["[", "{"])
async def test_deep_nesting_is_refused_and_never_a_crash(
    daemon: Daemon, levels: int, opening: str, closing: str
) -> None:
    await create(daemon, "dev")
    deep = f'{{"metadata": {{"x": {opening * levels}1{closing * levels}}}}}'
    for method, path in (("POST", ALL), ("PUT", f"{ALL}/dev"), ("PATCH", f"{ALL}/dev")):
        answer = await daemon.call(method, path, data=deep, headers=JSON)
        assert answer.status in (400, 422), answer.content
    text = json.dumps(body("deep", metadata="?")).replace('"?"', deep)
    assert (await post(daemon, text)).status in (400, 422)


async def test_twenty_levels_of_metadata_are_kept(daemon: Daemon) -> None:
    metadata: Any = "bottom"
    for _ in range(20):
        metadata = {"x": metadata}
    assert (await create(daemon, metadata=metadata))["metadata"] == metadata


async def test_a_number_beyond_all_bounds_is_refused(daemon: Daemon) -> None:
    for number, status in (("1e999", 422), ("9" * 5000, 400), ("-1e999", 422)):
        text = json.dumps(body(metadata={"n": 0})).replace("0}", f"{number}}}")
        assert (await post(daemon, text)).status == status


async def test_a_huge_whole_number_is_kept_to_the_digit(daemon: Daemon) -> None:
    number = int("9" * 4000)
    await create(daemon, metadata={"n": number})
    assert daemon.folders.stored()[0]["metadata"]["n"] == number


@pytest.mark.parametrize(
    "changes",
    [{"name": "\ud800"}, {"\udfff": 1}, {"metadata": {"x": "\ud800"}}, {"metadata": {"\ud800": 1}},
     {"host": {"hostname": "\ud800.test"}}, {"slug": "\ud800"}, {"project_id": "\ud800"}],
    ids=["name", "key", "metadata", "metadata key", "host", "slug", "project"],
)  # fmt: skip
async def test_half_of_a_surrogate_pair_is_refused(daemon: Daemon, changes: dict[str, Any]) -> None:
    answer = await post(daemon, json.dumps(body(**changes)))
    assert answer.status == 422, answer.content
    assert daemon.folders.stored() == []


async def test_a_whole_surrogate_pair_is_one_character(daemon: Daemon) -> None:
    answer = await post(daemon, json.dumps(body(name="\U0001f680"), ensure_ascii=True))
    assert answer.value["name"] == "\U0001f680"
    assert "\U0001f680" in daemon.folders.catalogue.read_text("utf-8")


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_that_utc_cannot_hold_is_refused(daemon: Daemon, instant: str) -> None:
    health = {"status": "healthy", "checked_at": instant}
    answer = await post(daemon, json.dumps(body(health=health)))
    refused(answer, 422, "invalid_record")
