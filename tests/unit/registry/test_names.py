"""Names: one spelling of each host, what a wildcard stands for, ids, and JSON pointers."""

from __future__ import annotations

import re

import pytest

from registry.names import (
    ENVIRONMENT_ID,
    canonical_host,
    canonical_pattern,
    covers,
    derived_environment_id,
    fresh_environment_id,
    json_pointer,
    pointer_path,
)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("app.test", "app.test"),
        ("APP.Test", "app.test"),
        ("app.test.", "app.test"),
        ("localhost", "localhost"),
        ("under_score.app.test", "under_score.app.test"),
        ("xn--bcher-kva.test", "xn--bcher-kva.test"),
        ("Bücher.test", "xn--bcher-kva.test"),
        ("BÜCHER.TEST.", "xn--bcher-kva.test"),
        ("straße.test", "xn--strae-oqa.test"),
        ("例え.test", "xn--r8jz45g.test"),
        ("bücher。test", "xn--bcher-kva.test"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
    ],
)
def test_a_host_has_one_spelling(written: str, canonical: str) -> None:
    assert canonical_host(written) == canonical
    assert canonical_host(canonical) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "",
        ".",
        "..",
        ".app.test",
        "app..test",
        "app.test..",
        "-app.test",
        "app-.test",
        "*.app.test",
        "app.test:8080",
        "http://app.test",
        "app.test/path",
        "app test",
        " app.test",
        'app.test") || PathPrefix("/',
        "app.test`",
        "app║test",
        "😀.test",
        "a" * 64 + ".test",
        "[2001:db8::7]:80",
        "[app.test]",
    ],
)
def test_what_no_rule_could_name_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"host name|label|internationalised"):
        canonical_host(written)


@pytest.mark.parametrize("written", ["app.test\n", "app\n.test", "*.app.test\n"])
def test_a_newline_in_a_host_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="label"):
        canonical_pattern(written)


@pytest.mark.parametrize("written", ["fe80::1%eth0", 'fe80::1%"', "fe80::1%😀", "fe80::1%\x7f"])
def test_an_ipv6_zone_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"label|internationalised"):
        canonical_host(written)


@pytest.mark.parametrize("written", ["[2001:db8::7", "2001:db8::7]", "[192.0.2.7]"])
def test_brackets_stand_around_an_ipv6_address_or_nowhere(written: str) -> None:
    with pytest.raises(ValueError, match=r"label|bracket|address"):
        canonical_host(written)


def test_a_label_may_have_63_characters_and_a_host_253() -> None:
    longest = ".".join(["a" * 63] * 3 + ["b" * 61])
    assert len(longest) == 253
    assert canonical_host(longest) == longest
    assert canonical_host(f"{longest}.") == longest
    with pytest.raises(ValueError, match="253"):
        canonical_host(f"{longest}b")


def test_the_length_counts_what_goes_over_the_wire() -> None:
    with pytest.raises(ValueError, match=r"too long|label|253"):
        canonical_host("ü" * 60 + ".test")


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("*.App.Test.", "*.app.test"),
        ("*.straße.test", "*.xn--strae-oqa.test"),
        ("*.test", "*.test"),
        ("app.test", "app.test"),
    ],
)
def test_a_pattern_has_one_spelling(written: str, canonical: str) -> None:
    assert canonical_pattern(written) == canonical


@pytest.mark.parametrize(
    "written",
    ["*", "*.", "**.app.test", "*.*.app.test", "a*.app.test", "app.*.test", "*app.test"],
)
def test_a_star_is_a_whole_first_label_before_a_name(written: str) -> None:
    with pytest.raises(ValueError, match=r"label|catch every host"):
        canonical_pattern(written)


@pytest.mark.parametrize("written", ["*.192.0.2.7", "*.2001:db8::7", "*.[::1]"])
def test_a_wildcard_does_not_go_before_an_address(written: str) -> None:
    with pytest.raises(ValueError, match="no wildcard before an address"):
        canonical_pattern(written)


@pytest.mark.parametrize(
    ("pattern", "host", "covered"),
    [
        ("app.test", "app.test", True),
        ("app.test", "www.app.test", False),
        ("*.app.test", "www.app.test", True),
        ("*.app.test", "app.test", False),
        ("*.app.test", "a.www.app.test", False),
        ("*.app.test", "www.myapp.test", False),
        ("*.app.test", ".app.test", False),
        ("*.test", "app.test", True),
        ("*.test", "test", False),
    ],
)
def test_a_wildcard_stands_for_exactly_one_label(pattern: str, host: str, covered: bool) -> None:
    assert covers(pattern, host) is covered


def test_fresh_ids_are_made_of_the_slug_and_differ() -> None:
    ids = {fresh_environment_id("app-1") for _ in range(20)}
    assert len(ids) > 1
    assert all(re.fullmatch(r"env-app-1-[0-9a-f]{6}", each) for each in ids)


def test_a_derived_id_is_the_same_for_the_same_record() -> None:
    derived = derived_environment_id("nightshift", "dev")
    assert re.fullmatch(r"env-dev-[0-9a-f]{6}", derived)
    assert derived_environment_id("nightshift", "dev") == derived
    assert derived_environment_id("storefront", "dev") != derived


def test_the_id_of_the_longest_slug_is_an_id() -> None:
    assert re.match(ENVIRONMENT_ID, fresh_environment_id("a" * 63))


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ((), ""),
        (("ports", 0, "name"), "/ports/0/name"),
        (("a/b", "m~n", ""), "/a~1b/m~0n/"),
        (("~1",), "/~01"),
    ],
)
def test_a_json_pointer_escapes_as_in_rfc_6901(path: tuple[str | int, ...], pointer: str) -> None:
    assert json_pointer(path) == pointer


@pytest.mark.parametrize("path", [[], [""], ["a", "0"], ["a/b", "~"], ["~1", "~01", "/"]], ids=repr)
def test_a_pointer_leads_back_to_its_path(path: list[str]) -> None:
    assert pointer_path(json_pointer(path)) == path
