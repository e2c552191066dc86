"""Names made up by importers are valid, and each is given once."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.importers.naming import port_name_of, slug_of, title_of
from registry.names import SLUG

PORT_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("shop-web", "shop-web"),
        ("Shop_Web.2", "shop-web-2"),
        ("--x--", "x"),
        ("app@file/admin", "app-file-admin"),
        ("日本", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_a_slug_keeps_what_it_can_of_the_text(text: str, slug: str) -> None:
    assert slug_of(text) == slug


def test_a_taken_slug_gets_the_next_free_number() -> None:
    assert slug_of("shop", {"shop", "shop-2"}) == "shop-3"


def test_a_number_fits_in_where_the_name_is_of_full_length() -> None:
    long = "a" * 63
    assert slug_of("a" * 80) == long
    assert slug_of("a" * 80, {long}) == "a" * 61 + "-2"


@pytest.mark.parametrize(
    ("slug", "title"), [("shop-web", "Shop web"), ("x", "X"), ("2048", "2048")]
)
def test_a_title_is_the_slug_in_words(slug: str, title: str) -> None:
    assert title_of(slug) == title


@pytest.mark.parametrize(
    ("text", "name"), [("web-80", "web-80"), ("_db.1", "db.1"), ("a b", "a-b"), ("__", "port")]
)
def test_a_port_name_keeps_what_it_can_of_the_text(text: str, name: str) -> None:
    assert port_name_of(text) == name


@given(st.text(), st.lists(st.text(), max_size=5))
def test_every_made_up_name_is_valid_and_free(text: str, others: list[str]) -> None:
    slugs: set[str] = set()
    ports: set[str] = set()
    for each in (text, *others, text):
        slug, port = slug_of(each, slugs), port_name_of(each, ports)
        assert re.fullmatch(SLUG.strip("^$"), slug)
        assert re.fullmatch(PORT_NAME, port)
        assert slug not in slugs
        assert port not in ports
        slugs.add(slug)
        ports.add(port)
        assert title_of(slug).strip()
