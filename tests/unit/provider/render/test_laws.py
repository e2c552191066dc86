"""What holds of every document, whatever the catalogue: tried on catalogues that collide a lot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import MARKER, Document, assemble
from provider.render.fragment import OwnCertificate
from registry import codec
from registry.names import canonical_pattern, covers
from registry.router_spec import normal_path
from registry.schema import Environment
from tests.records import merged
from tests.unit.provider.render.matching import Request, matching
from tests.unit.strategies import (
    TLS_ENTRYPOINTS,
    catalogues,
    certificates,
    routed_records,
    texts,
    whole_records,
)

RULES = Rules(tls_entrypoints=TLS_ENTRYPOINTS, cert_resolver="le", servers_transport="ca@file")
LAW = settings(max_examples=60, derandomize=True)
REQUESTS = [
    Request(host, path, entrypoint, entrypoint in TLS_ENTRYPOINTS)
    for host in ("a.test", "b.test", "x.a.test", "y.a.test.", "v.x.a.test", "xn--bcher-kva.test")
    for path in ("/", "/app", "/app/", "/app/x/y", "/apps", "/application")
    for entrypoint in ("web", "websecure", "internal", "tls")
]


def rendered(
    environments: Sequence[Environment], found: Mapping[str, OwnCertificate] | None = None
) -> Document:
    """The document of these, with a compiler that remembers nothing."""
    return assemble(Compiler(RULES).compile_all(environments, found))


def parsed(document: Document) -> dict[str, Any]:
    """The document as JSON values."""
    return dict(json.loads(document.body))


def maps(
    value: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every object of a document, and where it is."""
    if isinstance(value, dict):
        yield path, value
        for key, child in value.items():
            yield from maps(child, (*path, key))
    elif isinstance(value, list):
        for child in value:
            yield from maps(child, (*path, "[]"))


@LAW
@given(st.data(), catalogues())
def test_the_order_of_the_records_has_no_say(
    data: st.DataObject, environments: list[Environment]
) -> None:
    found = data.draw(certificates(environments))
    document = rendered(environments, found)
    shuffled = rendered(data.draw(st.permutations(environments)), found)
    assert shuffled.body == document.body
    assert shuffled.conflicts == document.conflicts
    assert shuffled.rejections == document.rejections


@LAW
@given(st.data(), catalogues())
def test_traefik_can_decode_every_document(
    data: st.DataObject, environments: list[Environment]
) -> None:
    document = rendered(environments, data.draw(certificates(environments)))
    assert document.body.isascii()
    assert b"\x7f" not in document.body
    for path, value in maps(parsed(document)):
        assert value or (path[:2] == ("http", "routers") and path[3:] == ("tls",)), path
        assert all(0 < len(key) < 1000 and "@" not in key for key in value)


@LAW
@given(catalogues())
def test_no_document_is_empty_and_each_carries_its_own_digest(
    environments: list[Environment],
) -> None:
    document = rendered(environments)
    assert f"{MARKER}{document.digest}" in parsed(document)["http"]["middlewares"]


@LAW
@given(catalogues(), catalogues())
def test_digests_are_equal_where_the_rest_of_the_documents_is(
    first: list[Environment], second: list[Environment]
) -> None:
    one, other = rendered(first), rendered(second)
    rests = {each.body.replace(each.digest.encode(), b"") for each in (one, other)}
    assert (one.digest == other.digest) is (len(rests) == 1)


@LAW
@given(catalogues())
def test_who_has_nothing_in_a_document_leaves_nothing_behind(
    environments: list[Environment],
) -> None:
    document = rendered(environments)
    seen = [each for each in environments if each.environment_id in document.shares]
    assert rendered(seen).body == document.body


@LAW
@given(st.data(), catalogues())
def test_the_same_inputs_give_the_same_bytes(
    data: st.DataObject, environments: list[Environment]
) -> None:
    found = data.draw(certificates(environments))
    read_again = [Environment.model_validate(each.document) for each in environments]
    assert rendered(read_again, found).body == rendered(environments, found).body


@LAW
@given(catalogues())
def test_every_reference_resolves_and_nothing_is_left_over(environments: list[Environment]) -> None:
    http = parsed(rendered(environments))["http"]
    used_services, used_middlewares = set(), set()
    for router in http.get("routers", {}).values():
        used_services.add(router["service"])
        used_middlewares |= {name for name in router.get("middlewares", ()) if "@" not in name}
    assert used_services == http.get("services", {}).keys()
    own = {name for name in http["middlewares"] if not name.startswith(MARKER)}
    assert used_middlewares == own


@LAW
@given(catalogues())
def test_two_routers_that_match_one_request_never_tie(environments: list[Environment]) -> None:
    document = parsed(rendered(environments))
    for request in REQUESTS:
        priorities = [router["priority"] for router in matching(document, request)]
        assert len(set(priorities)) == len(priorities), (request, priorities)
        assert all(0 < priority < 30_000 for priority in priorities)


@LAW
@given(catalogues())
def test_a_request_goes_where_the_records_say(environments: list[Environment]) -> None:
    document = rendered(environments)
    rejected = {item.environment_id for item in document.rejections}
    candidates = [each for each in environments if each.environment_id not in rejected]
    for request in REQUESTS:
        routers = matching(parsed(document), request)
        answering = routers[0]["service"] if routers else None
        assert answering == expected_answer(candidates, request), request


def expected_answer(environments: Sequence[Environment], request: Request) -> str | None:
    """The environment that ought to answer: exact host, longer path, older, smaller id."""
    ranked = []
    for each in environments:
        if not each.routed or each.router is None:
            continue
        path = normal_path(each.router.path_prefix or "/")
        if request.entrypoint not in (each.router.entrypoints or ["websecure"]):
            continue
        if path != "/" and not f"{request.path}/".startswith(f"{path}/"):
            continue
        for given_host in each.router.hostnames or [each.host.hostname]:
            pattern = canonical_pattern(given_host)
            if covers(pattern, request.host.removesuffix(".")):
                age = each.created_at.isoformat() if each.created_at else "9999"
                rank = (pattern.startswith("*."), -len(path), age, each.environment_id)
                ranked.append(rank)
    return min(ranked)[3] if ranked else None


@LAW
@given(catalogues(), texts)
def test_what_traefik_cannot_see_leaves_the_bytes_untouched(
    environments: list[Environment], note: str
) -> None:
    unseen = {
        "name": f"x{note}",
        "description": note,
        "host": {"provider": note, "region": note, "notes": note},
        "owner": {"name": f"x{note}", "email": note, "role": note},
        "lifecycle": {"notes": note, "changed_at": "2026-03-01T00:00:00Z"},
        "health": {"status": "offline", "checked_at": "2026-03-01T00:00:00Z", "notes": note},
        "metadata": {"dns_zones": [note], "traefik_router": note},
        "updated_at": "2026-03-01T00:00:00Z",
    }
    changed = [Environment.model_validate(merged(e.document, unseen)) for e in environments]
    assert rendered(changed).body == rendered(environments).body


@LAW
@given(st.data())
def test_a_change_of_one_record_leaves_the_others_parts_alone(data: st.DataObject) -> None:
    def drawn(slug: str) -> Environment:
        own_hosts = [f"{slug}.test", f"www.{slug}.test", f"*.{slug}.test"]
        return Environment.model_validate(data.draw(routed_records(slug, own_hosts)))

    others = [drawn("one"), drawn("two")]
    before, after, without = (
        parsed(rendered(several))
        for several in ([*others, drawn("three")], [drawn("three"), *others], others)
    )
    for environment in others:
        part = part_of(without, environment.environment_id)
        assert part_of(before, environment.environment_id) == part
        assert part_of(after, environment.environment_id) == part


def part_of(document: dict[str, Any], environment_id: str) -> list[tuple[str, str, Any]]:
    """What a document has of one environment."""
    return [
        (kind, name, value)
        for kind, items in document["http"].items()
        for name, value in items.items()
        if name.partition(".")[0] == environment_id
    ]


@LAW
@given(whole_records())
def test_a_record_that_is_written_is_read_as_it_was(record: dict[str, Any]) -> None:
    environment = Environment.model_validate(record)
    decoded = codec.decode(codec.encode(environment), lambda _project_id: None)
    assert (decoded.code, decoded.errors, decoded.wanting) == ("", (), ())
    assert decoded.environment is not None
    assert decoded.environment.document == environment.document
    assert decoded.environment.revision == environment.revision
    assert codec.encode(decoded.environment) == codec.encode(environment)
