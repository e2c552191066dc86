"""Traefik's words about a router, and what would be right."""

from __future__ import annotations

from dataclasses import replace

from provider.observe.facts import EntryPoint
from provider.routing.hints import words_of
from tests.unit.provider.routing.scene import fault, here

FACTS = replace(
    here("A"),
    middlewares=frozenset({"auth@file", "headers@docker", "env-a.strip@http", "dash@internal"}),
    entrypoints=(EntryPoint("web", ":80", 80), EntryPoint("http", ":8000", 8000)),
)


def test_a_missing_middleware_is_told_with_those_that_exist_the_nearest_first() -> None:
    words = words_of(fault("env-a"), FACTS)
    assert words == (
        'router env-a.exact.websecure@http is disabled: middleware "auht@file" does not exist '
        "(middlewares that exist: auth@file, headers@docker)"
    )


def test_where_there_is_none_that_is_said() -> None:
    words = words_of(fault("env-a"), replace(FACTS, middlewares=frozenset({"env-a.strip@http"})))
    assert "this Traefik has no middlewares of other providers" in words


def test_a_missing_entrypoint_is_told_with_those_that_exist() -> None:
    words = words_of(fault("env-a", "warning", errors=('entryPoint "webb" doesn\'t exist',)), FACTS)
    assert "is enabled with a warning: " in words
    assert words.endswith("(entrypoints that exist: web, http)")


def test_a_missing_transport_is_told_with_the_setting() -> None:
    words = words_of(fault("env-a", errors=("unable to find serversTransport ca@file",)), FACTS)
    assert "SERVERS_TRANSPORT" in words


def test_of_many_names_the_first_are_named_and_the_rest_counted() -> None:
    many = frozenset(f"m{number:03}@file" for number in range(500))
    words = words_of(fault("env-a"), replace(FACTS, middlewares=many))
    assert words.endswith(" and 492 more)")
    assert words.count("@file,") == 7


def test_one_hint_for_one_mistake_however_often_traefik_says_it() -> None:
    once = fault("env-a").errors[0]
    words = words_of(fault("env-a", errors=(once, once)), FACTS)
    assert words.count("middlewares that exist") == 1


def test_without_words_of_traefiks_that_is_said() -> None:
    assert "without a word of Traefik's" in words_of(fault("env-a", errors=()), FACTS)
