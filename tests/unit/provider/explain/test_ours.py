"""Which of our records answers a URL, and why each of the others does not."""

from __future__ import annotations

import json

from registry.entries import Entry, Fault, PlacedError, RawRecord
from tests.records import NEW, OLD, environment, record, routed, router
from tests.unit.provider.explain.knowing import entry, explained, knowledge, reasons


def test_the_answer_says_what_happens_to_the_request() -> None:
    known = knowledge(
        routed(
            "dev",
            path_prefix="/app",
            service_url="http://10.0.0.1:9000/base",
            middlewares=["auth", "gzip@docker"],
        )
    )
    view = explained("https://dev.test/app/x?q=1", known)
    assert view["answer"] == {
        "environment": "env-dev",
        "slug": "dev",
        "route": {"host": "dev.test", "path_prefix": "/app", "entrypoint": "websecure"},
        "router": "env-dev.exact.websecure",
        "provider": "http",
        "rule": 'Host("dev.test") && (Path("/app") || PathPrefix("/app/"))',
        "priority": 20_004,
        "tls": True,
        "strip": "/app",
        "add": "/base",
        "middlewares": ["auth@file", "gzip@docker"],
        "upstreams": ["http://10.0.0.1:9000"],
        "upstream_path": "/base/x?q=1",
        "host_header": "dev.test",
        "entrypoint": "websecure",
        "unless": [],
    }
    assert (view["url"], reasons(view)) == ("https://dev.test/app/x?q=1", [("dev", "answers")])


def test_a_host_that_nobody_names_has_no_answer_and_no_candidates() -> None:
    view = explained("https://nobody.test/", knowledge(routed("dev")))
    assert (view["answer"], view["answers"], view["candidates"]) == (None, [], [])
    assert view["notes"] == ["no record names nobody.test"]


def test_an_exact_host_goes_before_a_wildcard_and_a_longer_path_before_a_shorter() -> None:
    known = knowledge(
        routed("wild", hostnames=["*.shop.test"], path_prefix="/app/v1"),
        routed("root", hostnames=["a.shop.test"]),
        routed("deep", hostnames=["a.shop.test"], path_prefix="/app"),
    )
    view = explained("https://a.shop.test/app/v1/x", known)
    assert view["answer"]["slug"] == "deep"
    assert reasons(view) == [("deep", "answers"), ("root", "path_length"), ("wild", "host_kind")]
    assert "env-deep (deep) names a.shop.test" in view["candidates"][2]["message"]


def test_a_prefix_never_catches_its_neighbours() -> None:
    known = knowledge(routed("dev", path_prefix="/app"))
    view = explained("https://dev.test/application", known)
    assert view["answer"] is None
    assert view["answers"] == [{"entrypoint": "websecure", "answer": None, "unless": []}]
    assert reasons(view) == [("dev", "path")]


def test_http_means_the_plain_entrypoints_and_https_the_others() -> None:
    known = knowledge(
        routed("plain", hostnames=["a.test"], entrypoints=["web", "web2"]),
        routed("both", hostnames=["a.test"], entrypoints=["web2", "websecure"], created_at=NEW),
    )
    plain = explained("http://a.test/", known)
    assert [each["entrypoint"] for each in plain["answers"]] == ["web", "web2"]
    assert reasons(plain) == [("plain", "answers"), ("plain", "answers"), ("both", "conflict")]
    secure = explained("https://a.test/", known)
    assert secure["answer"]["slug"] == "both"
    assert reasons(secure) == [("both", "answers"), ("plain", "entrypoint")]
    assert "web, web2" in secure["candidates"][1]["message"]


def test_an_entrypoint_narrows_the_question() -> None:
    known = knowledge(routed("dev", entrypoints=["web", "web2", "websecure"]))
    view = explained("http://dev.test/", known, "web2")
    assert [each["entrypoint"] for each in view["answers"]] == ["web2"]
    assert view["answer"]["router"] == "env-dev.exact.web.web2"


def test_an_entrypoint_that_nothing_uses_is_said_and_is_no_error() -> None:
    known = knowledge(routed("dev"))
    view = explained("https://dev.test/", known, "nowhere")
    assert view["answer"] is None
    assert "https" in view["notes"][0]
    assert reasons(view) == [("dev", "entrypoint")]
    assert "nothing that fits" in explained("http://dev.test/", known, "nowhere")["notes"][0]


def test_the_loser_of_a_conflict_names_the_holder() -> None:
    known = knowledge(
        routed("old", OLD, hostnames=["a.test"]), routed("new", NEW, hostnames=["a.test"])
    )
    view = explained("https://a.test/", known)
    assert reasons(view) == [("old", "answers"), ("new", "conflict")]
    assert view["candidates"][1]["holder"] == "env-old"
    assert "env-old" in view["candidates"][1]["message"]


def test_a_record_that_lost_its_exact_host_may_answer_by_its_wildcard() -> None:
    known = knowledge(
        routed("old", OLD, hostnames=["a.test"], path_prefix="/x"),
        routed("new", NEW, hostnames=["a.test", "*.test"], path_prefix="/x"),
    )
    assert reasons(explained("https://a.test/x", known)) == [
        ("old", "answers"),
        ("new", "host_kind"),
    ]


def test_states_and_refusals_are_reasons() -> None:
    known = knowledge(
        environment(slug="soon", lifecycle={"state": "planned"}, **router(hostnames=["a.test"])),
        environment(slug="gone", lifecycle={"state": "retired"}, **router(hostnames=["*.test"])),
        environment(slug="bare", host={"hostname": "a.test"}),
        routed("bad", hostnames=["a.test"], service_url="http://10.9.9.9/"),
    )
    view = explained("https://a.test/", known)
    assert view["answer"] is None
    assert reasons(view) == [
        ("gone", "state"),
        ("soon", "state"),
        ("bad", "rejected"),
        ("bare", "no_router"),
    ]
    assert "planned" in view["candidates"][1]["message"]
    assert "forbidden_upstream" in view["candidates"][2]["message"]


FAULT = Fault("quarantined", (PlacedError("/name", "too long"),), "env-dev", "dev")


def test_a_broken_record_answers_by_its_last_good_version_and_says_so() -> None:
    broken = Entry(RawRecord("0", "{}"), routed("dev"), FAULT)
    view = explained("https://dev.test/", knowledge(entries=(broken,)))
    assert view["answer"]["slug"] == "dev"
    assert view["candidates"][0]["quarantined"]
    assert "last good version" in view["candidates"][0]["message"]
    assert "/name: too long" in view["candidates"][0]["message"]


def test_a_broken_record_that_never_was_good_is_named_where_its_text_names_the_host() -> None:
    text = json.dumps(record(slug="dev", name=1, **router(hostnames=["A.test", "*.b.test", 7])))
    broken = Entry(RawRecord("0", text), None, FAULT)
    known = knowledge(entries=(broken,))
    for url in ("https://a.test/", "https://x.b.test/"):
        view = explained(url, known)
        assert (view["answer"], reasons(view)) == (None, [("dev", "quarantined")])
        assert "nothing of it" in view["candidates"][0]["message"]
    assert explained("https://dev.test/", known)["candidates"] == []


def test_a_new_host_of_a_broken_record_is_not_that_of_its_last_good_version() -> None:
    text = json.dumps(record(slug="dev", name=1, host={"hostname": "new.test"}))
    known = knowledge(entries=(Entry(RawRecord("0", text), routed("dev"), FAULT),))
    view = explained("https://new.test/", known)
    assert reasons(view) == [("dev", "quarantined")]
    assert "does not name this host" in view["candidates"][0]["message"]


def test_the_host_header_is_the_upstreams_own_where_the_record_says_so() -> None:
    one = knowledge(routed("dev", pass_host_header=False))
    assert explained("https://dev.test:8443/", one)["answer"]["host_header"] == "10.0.0.1:9000"
    several = knowledge(routed("dev", pass_host_header=False, server_urls=["http://10.0.0.2:9000"]))
    assert explained("https://dev.test/", several)["answer"]["host_header"] is None


def test_the_order_of_the_records_changes_nothing() -> None:
    each = [
        routed("a", OLD, hostnames=["x.test"]),
        routed("b", NEW, hostnames=["x.test"]),
        routed("c", hostnames=["*.test"]),
    ]
    views = [explained("https://x.test/", knowledge(*order)) for order in (each, each[::-1])]
    assert views[0] == views[1]


def test_a_record_that_is_not_in_the_document_yet_is_said_to_be_so() -> None:
    known = knowledge(routed("dev"))
    late = routed("late", hostnames=["dev.test"])
    snapshot = known.snapshot.having(None, entry(late))
    view = explained(
        "https://dev.test/", type(known)(known.document, snapshot, known.tls_entrypoints)
    )
    assert reasons(view) == [("dev", "answers"), ("late", "state")]
    assert "not in the document yet" in view["candidates"][1]["message"]
