"""Traefik's rule language: what it says, what it refuses, and its alternatives."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.traefik_rule import (
    ALTERNATIVES_MAX,
    NESTING_MAX,
    RULE_LENGTH_MAX,
    And,
    Matcher,
    Not,
    Or,
    Rule,
    RuleFault,
    alternatives,
    parse_rule,
    quoted,
    unquoted,
)

A, B, C = (Matcher("Host", (f"{name}.test",)) for name in "abc")
BACKTICKED = {"A": "Host(`a.test`)", "B": "Host(`b.test`)", "C": "Host(`c.test`)"}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
matchers = st.builds(
    Matcher,
    st.sampled_from(["Host", "PathPrefix", "Header", "ClientIP", "of_a_plugin"]),
    st.lists(texts, min_size=1, max_size=3).map(tuple),
)


def _wider(children: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
    several = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, children)


rules: st.SearchStrategy[Rule] = st.recursive(matchers, _wider, max_leaves=8)


def spelled(text: str) -> str:
    """The rule with A, B and C as hosts in backticks."""
    return "".join(BACKTICKED.get(character, character) for character in text)


@given(rules)
def test_what_is_printed_parses_to_the_same_rule(rule: Rule) -> None:
    assert parse_rule(str(rule)) == rule


@given(texts)
def test_unquoting_undoes_quoting(text: str) -> None:
    assert unquoted(quoted(text)) == text


@given(st.text(st.sampled_from('Host()`"!&|, \n\\x0a.é\ud800'), max_size=40))
def test_any_text_is_a_rule_or_a_fault(text: str) -> None:
    with suppress(RuleFault):
        assert alternatives(parse_rule(text))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("A", A),
        (" \t( A )\r\n", A),
        ("A&&B||C", Or((And((A, B)), C))),
        ("A || B && C", Or((A, And((B, C))))),
        ("A && (B || C)", And((A, Or((B, C))))),
        ("(A && B) && C", And((And((A, B)), C))),
        ("!A && B", And((Not(A), B))),
        ("!(A && B)", Not(And((A, B)))),
        ("!!A", Not(Not(A))),
        ("A &&\nB", And((A, B))),
    ],
)
def test_operators_bind_as_in_go(text: str, rule: Rule) -> None:
    assert parse_rule(spelled(text)) == rule


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("host(`a`)", Matcher("Host", ("a",))),
        ("PATHPREFIX(`/a`)", Matcher("PathPrefix", ("/a",))),
        ("clientIP(`::1`)", Matcher("ClientIP", ("::1",))),
        ("Brew(`Tea`)", Matcher("Brew", ("Tea",))),
        ('Header(`X-A`, "1")', Matcher("Header", ("X-A", "1"))),
        ("Host(\n`a`,\n`b`,\n)", Matcher("Host", ("a", "b"))),
        (r"HostRegexp(`^[^.]+\.a$`)", Matcher("HostRegexp", (r"^[^.]+\.a$",))),
        (r'HostRegexp("^[^.]+\\.a$")', Matcher("HostRegexp", (r"^[^.]+\.a$",))),
        (r'Host("\x61\142\u00e9\U0001f600\t\"")', Matcher("Host", ('abé😀\t"',))),
        (r'Host("\xc3\xa9")', Matcher("Host", ("é",))),
        ("Path(`)`)", Matcher("Path", (")",))),
        ("Host(`a\r\nb`)", Matcher("Host", ("a\nb",))),
    ],
)
def test_a_matcher_has_a_name_and_go_strings(text: str, matcher: Matcher) -> None:
    assert parse_rule(text) == matcher


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "column 1: expected a matcher"),
        ("Host", "expected '(', found the end"),
        ("Host()", "backticks or double quotes, found ')'"),
        ("Host('a')", "is not of the rule language"),
        ("Host(a)", "backticks or double quotes, found 'a'"),
        ("Host(`a`", "expected ')'"),
        ("Host(`a)", "column 6"),
        ("Host(`a`) &&", "found the end"),
        ("Host(`a`) Host(`b`)", "column 11: expected '&&', '||' or the end"),
        ("Host(`a`)\n|| Host(`b`)", "found the end of the line"),
        ("Host(`a`) & Host(`b`)", "is not of the rule language"),
        ("`a`", "expected a matcher"),
        (r'Host("\q")', r"no escape \q"),
        (r'Host("\ud83d\ude00")', "is no character"),
        (r'Host("\xff")', "not UTF-8"),
        ("(" * (NESTING_MAX + 1) + "Host(`a`)" + ")" * (NESTING_MAX + 1), "nested"),
        ("!" * 5000 + "Host(`a`)", "nested"),
        ("x" * (RULE_LENGTH_MAX + 1), "characters"),
    ],
)
def test_what_is_no_rule_is_refused_with_the_place(text: str, words: str) -> None:
    with pytest.raises(RuleFault) as caught:
        parse_rule(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A", [[(A, False)]]),
        ("!A", [[(A, True)]]),
        ("A && A", [[(A, False)]]),
        ("A && (B || C)", [[(A, False), (B, False)], [(A, False), (C, False)]]),
        ("!(A || B)", [[(A, True), (B, True)]]),
        ("!(A && !B)", [[(A, True)], [(B, False)]]),
    ],
)
def test_alternatives_are_any_of_all_of(
    text: str, expected: list[list[tuple[Matcher, bool]]]
) -> None:
    found = alternatives(parse_rule(spelled(text)))
    assert [list(alternative) for alternative in found] == expected


def test_a_rule_of_too_many_alternatives_is_refused() -> None:
    pair = "(Host(`a`) || Host(`b`))"
    assert len(alternatives(parse_rule(" && ".join([pair] * 9)))) <= ALTERNATIVES_MAX
    for text in (" && ".join([pair] * 10), " || ".join(["Host(`a`)"] * (ALTERNATIVES_MAX + 1))):
        with pytest.raises(RuleFault, match="alternatives"):
            alternatives(parse_rule(text))
