"""A document that is made from the one before is the one that is made from nothing."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provider.publication import Publication, encode_publication
from provider.render import compiler as compiler_module
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import Document, assemble
from provider.render.fragment import OwnCertificate, Pair
from registry.schema import Environment
from tests.records import environment, routed
from tests.unit.provider.render.reference import plain_body
from tests.unit.provider.render.test_document import pair
from tests.unit.strategies import TLS_ENTRYPOINTS, catalogues, certificates

RULES = Rules(tls_entrypoints=TLS_ENTRYPOINTS, cert_resolver="le", servers_transport="ca@file")
LAW = settings(max_examples=60, derandomize=True)
DEFAULTS = st.sampled_from([None, None, pair("dd", "routebook.invalid")])
_SAYS = ("body", "digest", "routers", "conflicts", "rejections", "notes", "fragments")


def assert_alike(one: Document, other: Document) -> None:
    """They say the same, in the same pieces."""
    assert [getattr(one, each) for each in _SAYS] == [getattr(other, each) for each in _SAYS]
    assert list(one.shares.items()) == list(other.shares.items())
    assert list(one.notes) == list(other.notes)
    assert one.pieces == other.pieces
    assert [one.fragment(each.environment_id) for each in one.fragments] == [*one.fragments]
    assert one.fragment("") is one.fragment("zzz") is one.fragment("env-nobody") is None
    assert one.claims_count == other.claims_count == sum(len(f.claims) for f in one.fragments)


@LAW
@given(st.data())
def test_whatever_came_before_has_no_say(data: st.DataObject) -> None:
    compiler, before = Compiler(RULES), None
    publication: Publication | None = None
    for _ in range(data.draw(st.integers(2, 4))):
        environments = data.draw(catalogues())
        found: dict[str, OwnCertificate] = data.draw(certificates(environments))
        default: Pair | None = data.draw(DEFAULTS)
        warm = compiler.compile_all(environments, found)
        document = assemble(warm, default, None, before)
        compiled = Compiler(RULES).compile_all(environments, found)
        assert warm == compiled, "in their order"
        assert_alike(document, assemble(compiled, default))
        assert document.body == plain_body(document.digest, compiled, default)
        publication = encode_publication(document.pieces, document.digest, publication)
        assert gzip.decompress(publication.gzipped) == document.body
        before = document


@LAW
@given(st.lists(st.sets(st.integers(0, 300), max_size=120), min_size=2, max_size=5))
def test_nor_have_the_groups_that_were_before(steps: list[set[int]]) -> None:
    made: dict[int, Environment] = {}
    compiler, before = Compiler(RULES), None
    for step in steps:
        for number in step:
            if made.pop(number, None) is None:
                # A few claim the same host, so that losers come and go in other groups; a third
                # claims nothing else.
                hosts = [f"h{number}.test", f"shared{number % 7}.test"]
                made[number] = routed(f"n{number}", hostnames=hosts[number % 3 == 0 :])
        compiled = compiler.compile_all(made.values())
        document = assemble(compiled, before=before)
        assert_alike(document, assemble(compiled))
        assert document.body == plain_body(document.digest, compiled)
        seen = [each for each in made.values() if each.environment_id in document.shares]
        assert assemble(Compiler(RULES).compile_all(seen)).pieces == document.pieces
        before = document


@LAW
@given(catalogues(), catalogues())
def test_incumbents_are_heeded_and_forgotten(
    first: list[Environment], second: list[Environment]
) -> None:
    one, two = (Compiler(RULES).compile_all(each) for each in (first, second))
    before = assemble(one)
    keeps = {claim: f.environment_id for f in before.fragments[-1:] for claim in f.claims}
    kept = assemble(two, None, keeps, before)
    assert_alike(kept, assemble(two, None, keeps))
    assert kept.body == plain_body(kept.digest, two, None, keeps)
    assert_alike(assemble(one, before=kept), before)


def test_nothing_new_is_the_very_document_before() -> None:
    compiler, environments = Compiler(RULES), [routed("a"), routed("b")]
    before = assemble(compiler.compile_all(environments))
    again = [routed("a"), environments[1].model_copy(update={"description": "seen by nobody"})]
    assert assemble(compiler.compile_all(again), before=before) is before


def test_a_version_that_was_only_judged_is_never_rendered() -> None:
    compiler, one = Compiler(RULES), routed("a", hostnames=["mine.test"])
    first = {one.environment_id: OwnCertificate(pair("aa", "mine.test"))}
    compiler.compile_all([one], first)
    compiler.compile(routed("a", hostnames=["refused.test"]))
    rotated = {one.environment_id: OwnCertificate(pair("bb", "mine.test"))}
    assert compiler.compile_all([one], rotated) == Compiler(RULES).compile_all([one], rotated)


def test_what_failed_half_way_is_compiled_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> bool:
        raise MemoryError

    compiler, kept = Compiler(RULES), [routed("a"), routed("b"), routed("gone")]
    compiler.compile_all(kept)
    moved = [routed("a", hostnames=["moved.test"]), kept[1]]
    with monkeypatch.context() as patch:
        patch.setattr(compiler_module, "is_rendered_alike", exhausted)
        with pytest.raises(MemoryError):
            compiler.compile_all(moved)
    assert compiler.compile_all(moved) == Compiler(RULES).compile_all(moved)


@LAW
@given(st.data())
def test_an_edit_of_few_records_gives_what_all_of_them_give(data: st.DataObject) -> None:
    """Records that are replaced where they stand, moved, added and taken away; and certificates."""
    compiler, made = Compiler(RULES), [routed(f"n{number}") for number in range(8)]
    for step in range(data.draw(st.integers(1, 5))):
        for index in data.draw(st.sets(st.integers(0, len(made) - 1), max_size=3)):
            slug, host = made[index].slug, f"h{step}-{index}.test"
            is_routed = data.draw(st.booleans())
            made[index] = routed(slug, hostnames=[host]) if is_routed else environment(slug=slug)
        if data.draw(st.booleans()):
            made = data.draw(st.permutations(made))
        if data.draw(st.booleans()):
            made.append(routed(f"more{step}"))
        if len(made) > 1 and data.draw(st.booleans()):
            del made[data.draw(st.integers(0, len(made) - 1))]
        named = data.draw(st.sets(st.sampled_from([each.environment_id for each in made])))
        found = {each: OwnCertificate(pair(f"{step}", f"{each}.test")) for each in named}
        assert compiler.compile_all(made, found) == Compiler(RULES).compile_all(made, found)
