"""Thousands of odd router sections, through the schema and the renderer into a real Traefik.

No document is refused, no record changes what Traefik makes of another, and what Traefik turns
off it turns off for want of something that another provider has to give.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provider.demo.upstreams import upstream
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import Document, assemble
from provider.render.fragment import Rejection
from registry import codec
from registry.schema import Environment
from tests.chaos.form import amount, report
from tests.fuzz import values
from tests.fuzz.feed import Feed, fed_traefik, parts
from tests.fuzz.sections import Sections

pytestmark = [pytest.mark.traefik, pytest.mark.timeout(amount(120, 1800))]
SECTIONS = amount(1_000, 12_000)
A_DOCUMENT = 500
SENTINEL, STRANGER = "sentinel.test", "stranger.test"
RULES = (
    Rules(),
    Rules(cert_resolver="nobody", middleware_provider="docker"),
    Rules(tls_entrypoints=frozenset({"websecure", "nope", "Web"})),
    Rules(servers_transport="internal-ca@file"),
)
OTHERS = {
    "http": {
        "middlewares": {
            name.removesuffix("@file"): {"headers": {"customRequestHeaders": {"X-Odd": "yes"}}}
            for name in values.MIDDLEWARES
            if name.endswith("@file") or "@" not in name
        }
    }
}
"""What the file provider of the same Traefik has: most of the middlewares that records name."""
EXPLAINED = (
    r'entryPoint ".+" doesn\'t exist',
    r"no valid entryPoint for this router",
    r'middleware ".+@(?!http)[a-z]+" does not exist',
    r"servers ?transport not found.* internal-ca@file",
    r'the service ".+@http" does not exist',  # of a service that is off for one of these
)


def sentinel(port: int) -> Environment:
    """A plain record beside the odd ones, older than they are."""
    router = {
        "hostnames": [SENTINEL],
        "entrypoints": ["web"],
        "service_url": f"http://127.0.0.1:{port}/base",
    }
    record = next(Sections(0).records(1)) | {
        "environment_id": "sentinel",
        "slug": "sentinel",
        "host": {"hostname": SENTINEL},
        "ports": [],
        "lifecycle": {"state": "active"},
        "metadata": {"router": router},
        "created_at": "2020-01-01T00:00:00Z",
    }
    return Environment.model_validate(record)


def decoded(records: Any, counts: Counter[str]) -> list[Environment]:
    """Those records that the schema takes, read as the catalogue's texts are."""
    environments = []
    for record in records:
        result = codec.decode(json.dumps(record), lambda _: None)
        assert result.code != "internal", (result.errors, record)
        counts["generated"] += 1
        if result.environment is None:
            counts["refused by the schema"] += 1
        else:
            environments.append(result.environment)
    return environments


def rendered(environments: list[Environment], rules: Rules, counts: Counter[str]) -> Document:
    """One document of all; nothing in it is a bug of ours."""
    compiled = Compiler(rules).compile_all(environments)
    bugs = [each for each in compiled if isinstance(each, Rejection) and each.code == "internal"]
    assert not bugs, bugs
    document = assemble(compiled)
    assert [each for each in document.rejections if each.code == "internal"] == []
    counts["rendered"] += len(document.routed) - 1
    counts["left out: forbidden upstream"] += len(document.rejections)
    counts["claims lost to others"] += len(document.conflicts)
    counts["routers"] += document.routers
    return document


async def check_live(feed: Feed, document: Document, counts: Counter[str]) -> None:
    """Traefik has each object as it was sent, and turns off only what others have to explain."""
    sent = parts(document)
    for kind in ("routers", "services", "middlewares"):
        listed = await feed.listed(kind)
        assert set(listed) == set(sent[kind])
        for name, item in listed.items():
            assert differences(sent[kind][name], item) == [], f"{kind} {name}"
            unexplained = [e for e in errors_of(item) if not is_explained(e)]
            assert not unexplained, f"{kind} {name}: {unexplained}"
            counts[f"{kind} {item['status']}"] += 1


def differences(sent: Any, shown: Any, at: str = "") -> list[str]:
    """Where Traefik has something else than we sent; what it adds by itself does not count."""
    if isinstance(sent, dict) and isinstance(shown, dict):
        return [d for key in sent for d in differences(sent[key], shown.get(key), f"{at}/{key}")]
    if at == "/middlewares":
        shown = [name.removesuffix("@http") for name in shown or ()]
    return [] if sent == shown else [f"{at}: sent {sent!r}, shown {shown!r}"]


def errors_of(item: dict[str, Any]) -> list[str]:
    """Why Traefik turned it off, or warns."""
    return list(item.get("error") or item.get("err") or [])


def is_explained(error: str) -> bool:
    """Whether another provider, or Traefik's static configuration, has to mend it."""
    return any(re.search(pattern, error) for pattern in EXPLAINED)


async def test_odd_sections_are_refused_or_served_and_touch_no_other_record(
    tmp_path: Path,
) -> None:
    counts: Counter[str] = Counter()
    sections, first = Sections(seed=20261123), None
    async with upstream("blue") as port, fed_traefik(tmp_path / "traefik", OTHERS) as feed:
        while counts["rendered"] < SECTIONS:
            rules = RULES[counts["documents"] % len(RULES)]
            environments = decoded(sections.records(A_DOCUMENT), counts)
            document = rendered([sentinel(port), *environments], rules, counts)
            await feed.publish(document)

            await check_live(feed, document, counts)
            router = (await feed.listed("routers"))["sentinel.exact.web"]
            first = first or router
            assert router == first
            assert await feed.ask(SENTINEL, "/x") == (200, "blue")
            assert await feed.ask(STRANGER, "/x") == (404, None)
            counts["documents"] += 1
    report("sections", **counts)
