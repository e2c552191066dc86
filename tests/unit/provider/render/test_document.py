"""The document: its digest, what it lists, and what it leaves out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from provider.render.compile import Rules, compile_record
from provider.render.document import MARKER, Document, assemble
from provider.render.fragment import OwnCertificate, Pair
from provider.render.tls import listed
from registry.schema import Environment
from tests.records import NEW, routed


def pair(fingerprint: str, *names: str, day: int = 1) -> Pair:
    """A pair that ends on this day."""
    folder = f"/certs/.live/{fingerprint}"
    not_after = datetime(2026, 12, day, tzinfo=UTC)
    return Pair(fingerprint, names, not_after, f"{folder}/cert.pem", f"{folder}/key.pem")


def document_of(*environments: Environment, own: OwnCertificate | None = None) -> Document:
    """The document of these; `own` is the certificate of each."""
    compiled = [compile_record(each, Rules(), own) for each in environments]
    return assemble(item for item in compiled if item is not None)


def parsed(document: Document) -> dict[str, Any]:
    """Its JSON."""
    return dict(json.loads(document.body))


def fingerprints(document: dict[str, Any]) -> list[str]:
    """The pairs that a document lists, in order."""
    items = document.get("tls", {}).get("certificates", [])
    return [item["certFile"].split("/")[3] for item in items]


def test_nothing_at_all_is_still_a_document_with_a_marker() -> None:
    document = assemble([])
    marker = {f"{MARKER}{document.digest}": {"addPrefix": {"prefix": "/routebook"}}}
    assert parsed(document) == {"http": {"middlewares": marker}}
    assert (document.routers, document.routed, document.conflicts) == (0, (), ())


def test_another_document_has_another_digest() -> None:
    digests = {
        document_of(*environments).digest
        for environments in ([], [routed("a")], [routed("b")], [routed("a"), routed("b")])
    }
    assert len(digests) == 4


@pytest.mark.parametrize("digits", ["0" * 16, "f" * 16])
def test_a_record_that_is_called_like_a_marker_changes_nothing(digits: str) -> None:
    named = routed("a", hostnames=["a.test"]).document | {"environment_id": f"{MARKER}{digits}"}
    document = document_of(Environment.model_validate(named), routed("b"))
    assert f"{MARKER}{digits}" in parsed(document)["http"]["services"]
    assert f"{MARKER}{document.digest}" in parsed(document)["http"]["middlewares"]


def test_it_says_which_environments_are_routed_and_counts_routers() -> None:
    both = ["web", "websecure"]
    document = document_of(routed("b", entrypoints=both), routed("a"))
    assert document.routed == ("env-a", "env-b")
    assert document.routers == 3


def test_a_record_that_lost_all_its_claims_leaves_nothing_behind() -> None:
    contested = {"hostnames": ["app.test"], "path_prefix": "/app"}
    tls = {"cert_file": "a.crt", "key_file": "a.key"}
    winner, loser = routed("a", **contested), routed("b", NEW, **contested, tls=tls)
    own = OwnCertificate(pair("aa", "app.test"))
    compiled = [compile_record(winner, Rules(), None), compile_record(loser, Rules(), own)]
    document = assemble(item for item in compiled if item is not None)
    assert document.body == document_of(winner).body
    assert [each.loser for each in document.conflicts] == ["env-b"]


def test_the_routes_of_a_record_whose_certificate_fails_stay() -> None:
    tls = {"tls": {"cert_file": "a.crt", "key_file": "a.key"}}
    failing = OwnCertificate(None, "a.key is not there")
    document = document_of(routed("a", **tls), own=failing)
    assert document.routers == 1
    assert fingerprints(parsed(document)) == []
    ((code, pointer, message),) = [(n.code, n.pointer, n.message) for n in document.notes["env-a"]]
    assert (code, pointer) == ("certificate_left_out", "/metadata/router/tls")
    assert message == "a.key is not there"


def test_pairs_are_listed_once_and_by_fingerprint() -> None:
    several = [
        pair("cc", "c.test"),
        pair("aa", "a.test"),
        pair("bb", "b.test"),
        pair("aa", "a.test"),
    ]
    assert [item["certFile"] for item in listed(several)] == [
        f"/certs/.live/{each}/cert.pem" for each in ("aa", "bb", "cc")
    ]


def test_of_one_set_of_names_the_later_ending_pair_is_listed() -> None:
    for early, late in (("aa", "bb"), ("bb", "aa")):
        both = [pair(early, "a.test", "b.test", day=1), pair(late, "a.test", "b.test", day=2)]
        for several in (both, both[::-1]):
            assert [item["keyFile"] for item in listed(several)] == [f"/certs/.live/{late}/key.pem"]


def test_of_one_set_of_names_and_one_end_the_choice_does_not_depend_on_order() -> None:
    one, two = pair("aa", "a.test"), pair("bb", "a.test")
    assert listed([one, two]) == listed([two, one])
    assert len(listed([one, two])) == 1


def test_sets_of_names_that_only_overlap_are_all_listed() -> None:
    assert len(listed([pair("aa", "a.test"), pair("bb", "a.test", "b.test")])) == 2


def test_the_default_pair_is_the_stores_and_not_listed_beside_it() -> None:
    document = parsed(assemble([], default_pair=pair("dd", "routebook.invalid")))
    assert document["tls"] == {
        "stores": {
            "default": {
                "defaultCertificate": {
                    "certFile": "/certs/.live/dd/cert.pem",
                    "keyFile": "/certs/.live/dd/key.pem",
                }
            }
        }
    }


def test_no_name_is_longer_than_what_traefiks_parser_takes() -> None:
    entrypoints = [f"{'e' * 60}-{n}" for n in range(20)]
    names = parsed(document_of(routed("a", entrypoints=entrypoints)))["http"]["routers"]
    assert max(map(len, names)) <= 1000
