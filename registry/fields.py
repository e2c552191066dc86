"""The field types that records are built of, each with its bound and its words for people.

A pattern in the JSON schema is a necessary condition: what it refuses, the validator refuses too.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, PlainSerializer, PlainValidator
from pydantic_core import CoreSchema, core_schema

from registry.names import (
    ENVIRONMENT_ID,
    PLAIN_ADDRESS,
    PLAIN_NAME,
    PROJECT_ID,
    SLUG,
    canonical_host,
    canonical_pattern,
)

TEXT_LENGTH_MAX = 2000
LIST_LENGTH_MAX = 100
NESTING_MAX = 20
METADATA_BYTES_MAX = 64 * 1024

PORT = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_AUTHORITY = rf"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])(?::{PORT})?"
_TIME = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$")

_PLAIN_ADDRESS = re.compile(rf"{PLAIN_ADDRESS}\Z")
_INSTANTS_MAX = 4096
_NO_INSTANT = "a time such as '2026-11-23T09:30:00Z' (RFC 3339, with its offset)"
NOT_FITTING = "not_fitting"
"""The type of the error for a text that its pattern does not fit."""


PART = ConfigDict(extra="forbid")
"""Of the objects in a record: unknown keys are refused. Their fields are strict, each by itself."""


class _Matching:
    """A text that a pattern fits, checked in pydantic's core, which costs a tenth of Python's.

    There `$` is the very end, as in JSON schema.
    """

    def __init__(self, pattern: str, right: str) -> None:
        # What Python calls a space and Rust does not.
        spaces = pattern.replace(r"\S", r"[^\s]").replace(r"[^\s", r"[^\s\x1c-\x1f")
        self._fits = core_schema.custom_error_schema(
            core_schema.str_schema(pattern=spaces), NOT_FITTING, custom_error_message=right
        )
        self._json = {"maxLength": TEXT_LENGTH_MAX, "pattern": pattern, "type": "string"}

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        text = core_schema.str_schema(max_length=TEXT_LENGTH_MAX, strict=True)
        return core_schema.chain_schema([text, self._fits])

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return dict(self._json)


def _matching(pattern: str, right: str) -> Any:
    return Annotated[str, _Matching(pattern, right)]


def checked(check: Callable[[str], object], plain: re.Pattern[str]) -> AfterValidator:
    """Of a text: that it passes `check`, which is not asked about what `plain` matches."""

    def keep_text(value: str) -> str:
        if plain.match(value) is None:
            check(value)
        return value

    return AfterValidator(keep_text)


def _is_address(value: str) -> None:
    try:
        if "%" in value:
            raise ValueError(value)
        ipaddress.ip_address(value)
    except ValueError:
        raise ValueError("an IP address, for example '192.0.2.7' or '2001:db8::7'") from None


def parse_instant(value: object) -> datetime:
    """RFC 3339 text, with its offset, to UTC. Raises ValueError for anything else."""
    if isinstance(value, str):
        return _parsed_instant(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    raise ValueError(_NO_INSTANT)


@lru_cache(_INSTANTS_MAX)  # the three of a record are often one
def _parsed_instant(value: str) -> datetime:
    if not _TIME.match(value):
        raise ValueError(_NO_INSTANT)
    try:
        return datetime.fromisoformat(value.upper().replace(" ", "T")).astimezone(UTC)
    except OverflowError:
        raise ValueError("a time from year 1 to year 9999 in UTC") from None


def instant_text(value: datetime) -> str:
    """RFC 3339 in UTC with `Z`; a fraction only where there is one, in thousandths if they do."""
    return _instant_text(value)  # Pydantic finds no return type on what is cached


@lru_cache(_INSTANTS_MAX)
def _instant_text(value: datetime) -> str:
    if value.microsecond == 0:
        timespec = "seconds"
    else:
        timespec = "microseconds" if value.microsecond % 1000 else "milliseconds"
    return value.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


Text = Annotated[str, Field(strict=True, max_length=TEXT_LENGTH_MAX)]
Flag = Annotated[bool, Field(strict=True)]
FEW: Any = Field(strict=True, max_length=LIST_LENGTH_MAX)
Title = _matching(r"\S", "a text that is not blank")
EnvironmentId = _matching(ENVIRONMENT_ID, "1 to 80 of a-z, 0-9 and '-', no '-' at either end")
Slug = _matching(SLUG, "1 to 63 of a-z, 0-9 and '-', no '-' at either end")
ProjectId = _matching(PROJECT_ID, "1 to 64 of a-z, 0-9, '.', '_' and '-', no mark at the start")
PortName = _matching(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", "1 to 63 letters, digits, '.', '_', '-'")
Hostname = Annotated[Text, checked(canonical_host, PLAIN_NAME)]
HostPattern = Annotated[Text, checked(canonical_pattern, PLAIN_NAME)]
IpAddress = Annotated[Text, checked(_is_address, _PLAIN_ADDRESS)]
Url = _matching(
    r"^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s\/?#@]+([\/?#]\S*)?$",
    "a URL such as 'https://host:8443/path', without user information or spaces",
)
HttpUrl = _matching(
    rf"^https?:\/\/{_AUTHORITY}([\/?#]\S*)?$",
    "a URL that begins with http:// or https://, with a host, without user information or spaces",
)
UPSTREAM_URL = rf"^https?:\/\/{_AUTHORITY}(\/[A-Za-z0-9._~\/-]*)?$"
UpstreamUrl = _matching(
    UPSTREAM_URL,
    "an upstream such as 'http://127.0.0.1:9000' or 'https://host:8443/base': http:// or https://, "
    "a host, a port from 1 to 65535, at most a plain path; no user information, query or fragment",
)
Instant = Annotated[
    datetime,
    PlainValidator(
        parse_instant,
        json_schema_input_type=Annotated[str, Field(json_schema_extra={"format": "date-time"})],
    ),
    PlainSerializer(instant_text, return_type=str, when_used="always"),
]
