"""Reading a request: its JSON body, its query, its `If-Match`. Every bound is here."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from provider.api.surface import SURFACE
from registry.errors import (
    FieldError,
    InvalidRecord,
    MalformedJson,
    TooLarge,
    UnsupportedMediaType,
)
from registry.json_text import JsonFault, line_column, parse
from registry.schema import field_errors
from registry.store import Matches

BODY_BYTES_MAX = 1024 * 1024
BATCH_BYTES_MAX = 32 * BODY_BYTES_MAX
BODY_S = 30
JSON_TYPE = "application/json"
MERGE_PATCH_TYPE = "application/merge-patch+json"

Query = TypeVar("Query", bound=BaseModel)
_PARSED = web.RequestKey("query", object)


class WriteQuery(BaseModel):
    """How to write."""

    model_config = ConfigDict(extra="forbid")

    dry_run: Annotated[bool, Field(description="say what would change, and save nothing")] = False
    wait: Annotated[
        float | None,
        Field(ge=0, le=30, description="seconds to wait until every known Traefik serves it"),
    ] = None


async def json_body(request: web.Request, bytes_max: int = BODY_BYTES_MAX) -> Any:
    """The body as a JSON value.

    Raises TooLarge, MalformedJson with line and column, and Unauthenticated where its sender may
    not write any more.
    """
    try:
        async with asyncio.timeout(BODY_S):
            content = await _bounded(request, bytes_max).read()
    except TimeoutError as error:
        raise MalformedJson(f"the body did not arrive within {BODY_S} seconds") from error
    except (web.RequestPayloadError, HttpProcessingError) as error:
        raise MalformedJson("the body is not what its Content-Encoding says") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge(f"the body is over {bytes_max} bytes") from error
    request.app[SURFACE].door.admit_again(request)
    # A long text would keep the loop from those who poll.
    if len(content) > BODY_BYTES_MAX:
        return await asyncio.to_thread(_parsed, content)
    return _parsed(content)


def _bounded(request: web.Request, bytes_max: int) -> web.BaseRequest:
    is_bounded = request.client_max_size == bytes_max  # as most are, by the application
    return request if is_bounded else request.clone(client_max_size=bytes_max)


def _parsed(content: bytes) -> Any:
    try:
        text = content.decode("utf-8")
        return parse(text)
    except UnicodeDecodeError as error:
        raise MalformedJson("the body is not UTF-8") from error
    except JsonFault as error:
        line, column = line_column(text, error.offset)
        raise MalformedJson(
            f"line {line}, column {column}: {error}", line=line, column=column
        ) from error


def query_of(request: web.Request, model: type[Query]) -> Query:
    """The query parameters as a model. Raises InvalidRecord for unknown, double or wrong ones."""
    known = request.get(_PARSED)
    if isinstance(known, model):  # the table of routes looks at it first, then the handler
        return known
    doubled = [name for name in request.query if len(request.query.getall(name)) > 1]
    if doubled:
        fault = FieldError(f"/{doubled[0]}", "given more than once")
        raise InvalidRecord("the query has a parameter twice", [fault])
    try:
        query = model.model_validate(dict(request.query))
    except ValidationError as error:
        faults = [FieldError(f.pointer, _of_query(f.message)) for f in field_errors(error)]
        raise InvalidRecord("the query is wrong", faults) from error
    request[_PARSED] = query
    return query


def has_left(request: web.Request) -> bool:
    """Whether the client hung up: a handler is never cancelled for it, so it has to look."""
    return request.transport is None or request.transport.is_closing()


def _of_query(message: str) -> str:
    return "unknown query parameter" if message.startswith("unknown key") else message


def matches_of(request: web.Request) -> Matches | None:
    """What `If-Match` accepts (RFC 9110, 13.1.1: strong comparison); None when it is absent."""
    given = request.headers.get("If-Match")
    if given is None:
        return None
    if given.strip() == "*":  # aiohttp gives the tag `"*"` the same value
        return lambda _revision: True
    strong = {tag.value for tag in request.if_match or () if not tag.is_weak}
    return lambda revision: revision in strong


def check_media_type(request: web.Request) -> None:
    """Raises UnsupportedMediaType for a write without an explicit JSON content type."""
    accepted = {JSON_TYPE}
    if request.method == "PATCH":
        accepted.add(MERGE_PATCH_TYPE)
    given = request.content_type if "Content-Type" in request.headers else "none"
    charset = (request.charset or "utf-8").lower()
    if given not in accepted or charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(
            f"Content-Type is {given}; send {' or '.join(sorted(accepted))} in UTF-8"
        )
