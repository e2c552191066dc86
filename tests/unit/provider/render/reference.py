"""The document written plainly, all at once: what the incremental way must give, byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from provider.render.conflicts import lost_by, resolve
from provider.render.fragment import Claim, Compiled, Fragment, Pair
from provider.render.share import share_of
from provider.render.tls import listed

_PAIRS = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")


def plain_body(
    digest: str,
    compiled: Iterable[Compiled],
    default_pair: Pair | None = None,
    incumbents: Mapping[Claim, str] | None = None,
) -> bytes:
    """All fragments, sorted, in one `json.dumps`; and the marker of this digest."""
    asking = [item for item in compiled if isinstance(item, Fragment)]
    fragments = sorted(asking, key=lambda item: item.environment_id)
    lost = lost_by(resolve(fragments, incumbents))
    http: dict[str, dict[str, Any]] = {"routers": {}, "services": {}, "middlewares": {}}
    pairs = []
    for fragment in fragments:
        share = share_of(fragment, lost.get(fragment.environment_id, frozenset()))
        if share is not None:
            pairs += [fragment.pair] if fragment.pair else []
            http["routers"].update(share.http["routers"])
            http["services"].update(share.http["services"])
            http["middlewares"].update(share.http["middlewares"])
    http["middlewares"][f"routebook-{digest}"] = {"addPrefix": {"prefix": "/routebook"}}
    document: dict[str, Any] = {"http": {key: value for key, value in http.items() if value}}
    if tls := _tls(pairs, default_pair):
        document["tls"] = tls
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=True)
    text = _PAIRS.sub(lambda pair: json.loads(f'"{pair[0]}"'), text)
    return text.replace("\x7f", "\\u007f").encode()


def _tls(pairs: list[Pair], default_pair: Pair | None) -> dict[str, Any]:
    tls: dict[str, Any] = {}
    if pairs:
        tls["certificates"] = listed(pairs)
    if default_pair is not None:
        tls["stores"] = {"default": {"defaultCertificate": listed([default_pair])[0]}}
    return tls
