"""A server that answers from ready per-record bytes: the floor of `reading.py`.

    python ready_bytes.py ANSWERS_JSON PORT

`ANSWERS_JSON` maps a path with its query to the answer. Each environment is kept as bytes once; an
answer's head, its records' ids and its tail are found by its path, and joined for each request.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

_RECORDS: dict[str, bytes] = {}
_ANSWERS: dict[str, tuple[bytes, list[str], bytes]] = {}


def main() -> None:
    """Serve until terminated."""
    for path, answer in json.loads(Path(sys.argv[1]).read_text()).items():
        _ANSWERS[path] = _taken_apart(answer)
    app = web.Application()
    app.router.add_get("/{path:.*}", _answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)


async def _answer(request: web.Request) -> web.Response:
    head, ids, tail = _ANSWERS.get(request.path_qs, (b"{}", [], b""))
    body = head + b",".join([_RECORDS[each] for each in ids]) + tail
    return web.Response(body=body, content_type="application/json")


def _taken_apart(answer: dict[str, Any]) -> tuple[bytes, list[str], bytes]:
    records = answer.get("environments")
    if records is None:
        return b"", [_kept(answer)], b""
    rest = {key: value for key, value in answer.items() if key != "environments"}
    head = json.dumps(rest, separators=(",", ":"))[:-1] + ',"environments":['
    return head.encode(), [_kept(each) for each in records], b"]}"


def _kept(record: dict[str, Any]) -> str:
    """Its key: with the fields, since a list shows a record otherwise than a look-up."""
    environment_id = record["environment_id"]
    key = f"{environment_id} {len(record)}"
    _RECORDS[key] = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
    return key


if __name__ == "__main__":
    main()
