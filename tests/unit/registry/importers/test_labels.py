"""What a service says of itself in labels and under `x-routebook`."""

from __future__ import annotations

from typing import Any

import pytest

from registry.importers.labels import words_of


def values(service: dict[str, Any]) -> dict[str, Any]:
    """The words of a service that has some."""
    words = words_of(service)
    assert words is not None
    return dict(words.values)


@pytest.mark.parametrize(
    "service", [{}, {"labels": {}}, {"labels": ["traefik.enable=true"]}, {"labels": None}]
)
def test_a_service_that_says_nothing_has_no_words(service: dict[str, Any]) -> None:
    assert words_of(service) is None


@pytest.mark.parametrize("extension", [None, {}])
def test_an_empty_extension_is_enough(extension: Any) -> None:
    assert values({"x-routebook": extension}) == {}


@pytest.mark.parametrize(
    "service",
    [
        {"labels": {"routebook.hostnames": "a.test, b.test", "routebook.port": "80"}},
        {"labels": {"routebook.hostnames": "a.test,b.test,", "routebook.port": 80}},
        {"labels": ["routebook.hostnames=a.test,b.test", "routebook.port=80", "other=1"]},
        {"x-routebook": {"hostnames": ["a.test", "b.test"], "port": 80}},
        {"x-routebook": {"hostnames": "a.test,b.test", "port": "80"}},
        {
            "x-routebook": {"hostnames": ["c.test"], "port": 80},
            "labels": {"routebook.hostnames": "a.test,b.test", "routebook.port": ""},
        },
    ],
)
def test_labels_and_extension_say_the_same_and_a_label_wins(service: dict[str, Any]) -> None:
    assert values(service) == {"hostnames": ["a.test", "b.test"], "port": 80}


def test_nested_and_dotted_words_are_one() -> None:
    nested = {"tls": {"domains": ["a.test"]}, "lifecycle": {"state": "planned"}}
    dotted = {"tls.domains": "a.test", "lifecycle": "planned"}
    assert values({"x-routebook": nested}) == values({"x-routebook": dotted})


def test_metadata_keeps_its_types_and_is_text_in_labels() -> None:
    service = {
        "x-routebook": {"metadata": {"tier": 3, "deep": {"a": [1]}, "routers": True}},
        "labels": {"routebook.metadata.team": "core", "routebook.metadata.dns_zones": "a, b"},
    }
    assert values(service) == {
        "metadata.tier": 3,
        "metadata.deep": {"a": [1]},
        "metadata.routers": True,
        "metadata.team": "core",
        "metadata.dns_zones": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("word", "remark"),
    [
        (
            "hostname",
            "the word 'routebook.hostname' is not known; near it: hostnames, host.hostname",
        ),
        ("owner", "the word 'routebook.owner' is not known; near it: owner."),
        ("zzzzzzz", "the word 'routebook.zzzzzzz' is not known"),
        ("metadata.router.port", "the words of the router stand by themselves"),
        ("metadata.router", "the words of the router stand by themselves"),
    ],
)
def test_an_unknown_word_is_remarked_with_near_ones(word: str, remark: str) -> None:
    words = words_of({"labels": {f"routebook.{word}": "x"}})
    assert words is not None
    assert words.values == {}
    (said,) = words.remarks
    assert remark in said


def test_an_unknown_word_is_shown_as_it_is_written() -> None:
    words = words_of({"x-routebook": {"odd": {"er": 1}}})
    assert words is not None
    assert words.remarks == ("the word 'x-routebook.odd.er' is not known",)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("port", "http"),
        ("port", "0"),
        ("port", 65536),
        ("port", True),
        ("port", "9" * 5000),
        ("strip_prefix", "yes"),
        ("enable", 1),
        ("hostnames", 5),
        ("hostnames", [5]),
        ("slug", ["a"]),
        ("slug", True),
        ("lifecycle", "running"),
        ("health.status", "fine"),
    ],
)
def test_a_wrong_value_is_refused_with_its_word(word: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{word}.*: must be "):
        words_of({"x-routebook": {word: value}})


@pytest.mark.parametrize(
    "service", [{"x-routebook": True}, {"labels": "a=b"}, {"labels": {"a": [1]}}]
)
def test_what_is_no_mapping_is_refused(service: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be a"):
        words_of(service)
