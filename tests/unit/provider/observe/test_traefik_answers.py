"""The JSON of Traefik's API: what is understood of it, and that nothing else passes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provider.observe import traefik_answers as answers
from provider.observe.traefik_answers import Nonsense
from tests.fake_traefik import DIGEST, marker, router

Reading = Callable[[Any], Any]


def listing(read: Callable[[Any], Iterable[Any]]) -> Reading:
    """Reads a list to its end."""
    return lambda answer: list(read(answer))


WHOLE: list[tuple[Reading, Any]] = [
    (answers.version_of, {"Version": "3.7.15", "startDate": "2026-11-24T10:00:00Z"}),
    (answers.router_count, {"http": {"routers": {"total": 3}}}),
    (answers.digest_in, [marker(DIGEST)]),
    (listing(answers.routers_in), [router(priorityStr="5", error=["no"], tls={})]),
    (listing(answers.services_in), [{"name": "a@http", "status": "disabled", "error": ["no"]}]),
    (listing(answers.names_in), [{"name": "a@file"}]),
    (
        listing(answers.entrypoints_in),
        [
            {
                "name": "web",
                "address": ":80/tcp",
                "http": {
                    "redirections": {"entryPoint": {"to": "websecure"}},
                    "middlewares": ["a@file"],
                    "tls": {},
                },
            }
        ],
    ),
    (
        listing(answers.certificates_in),
        [{"certFingerprint": "AB", "sans": ["a.test"], "notAfter": "2027-01-01T00:00:00Z"}],
    ),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\ud800", 10**300, "9" * 400, "1e999", ":80", float("inf")]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """The path to every value within a value, itself included."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def put(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """A copy with another value at a path."""
    if not path:
        return other
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = other
    return copy


@settings(max_examples=1000, derandomize=True)
@given(st.data(), st.sampled_from(WHOLE), JSON)
def test_whatever_stands_wherever_is_understood_or_nonsense_and_never_a_bug(
    data: st.DataObject, whole: tuple[Reading, Any], nonsense: Any
) -> None:
    read, answer = whole
    path = data.draw(st.sampled_from(list(places(answer))))
    try:
        facts = read(put(answer, path, nonsense))
    except Nonsense:
        return
    hash(tuple(facts) if isinstance(facts, list) else facts)
    repr(facts).encode()


@pytest.mark.parametrize(("read", "answer"), WHOLE)
def test_what_traefik_gives_is_understood(read: Reading, answer: Any) -> None:
    assert read(answer)


@pytest.mark.parametrize(("read", "answer"), WHOLE)
@pytest.mark.parametrize("nonsense", [None, 5, "text", [None], [5], [[]]])
def test_nonsense_is_no_answer(read: Reading, answer: Any, nonsense: Any) -> None:
    with pytest.raises(Nonsense):
        read(nonsense)


def test_a_router_has_traefiks_own_words_cut_short() -> None:
    [fact] = answers.routers_in([router(error=["x" * 10_000], status="disabled")])
    assert [len(each) for each in fact.errors] == [500]
    assert (fact.status, fact.provider) == ("disabled", "http")


@pytest.mark.parametrize("shown", [{"priority": 7.0}, {"priority": 1, "priorityStr": "7"}])
def test_a_priority_is_read_from_its_text_first(shown: dict[str, Any]) -> None:
    [fact] = answers.routers_in([{**router(), **shown}])
    assert fact.priority == 7


@pytest.mark.parametrize("priority", [float("inf"), float("nan"), "much", [5], 2**64, "9" * 5000])
def test_a_priority_that_is_no_int64_is_nonsense(priority: Any) -> None:
    with pytest.raises(Nonsense):
        list(answers.routers_in([router(priority=priority)]))


@pytest.mark.parametrize(
    "other",
    [
        {"name": f"routebook-{DIGEST}@file"},
        {"name": f"routebook-{DIGEST}x@http"},
        {"name": "routebook-XYZ@http"},
        {"addPrefix": {"prefix": "/other"}},
        {"addPrefix": None},
        {"stripPrefix": {}, "addPrefix": {}},
    ],
)
def test_what_only_looks_like_a_marker_is_none(other: dict[str, Any]) -> None:
    assert answers.digest_in([{**marker(DIGEST), **other}]) is None


def test_a_start_date_that_is_no_text_is_nonsense_and_a_missing_one_is_not_known() -> None:
    assert answers.version_of({"Version": "3"}) == ("3", None)
    with pytest.raises(Nonsense):
        answers.version_of({"Version": "3", "startDate": float("nan")})


def test_half_a_surrogate_pair_cannot_break_a_log() -> None:
    [fact] = answers.routers_in(json.loads('[{"name": "a\\ud800@file", "rule": "\\udfff"}]'))
    assert (fact.name, fact.rule) == ("a?@file", "?")


@pytest.mark.parametrize(
    ("address", "port"),
    [
        (":80", 80),
        ("[::1]:443/udp", 443),
        ("web", None),
        (":0", None),
        (":99999", None),
        ("", None),
    ],
)
def test_the_port_of_an_entrypoint(address: str, port: int | None) -> None:
    [entrypoint] = answers.entrypoints_in([{"name": "web", "address": address}])
    assert entrypoint.port == port
