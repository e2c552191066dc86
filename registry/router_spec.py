"""`metadata.router`: how Traefik is to expose an environment, as the operator writes it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from registry.fields import (
    FEW,
    PART,
    Flag,
    HostPattern,
    Text,
    UpstreamUrl,
    checked,
)

_UNRESERVED_PATH = re.compile(r"^/[A-Za-z0-9._~/-]*\Z")
_MIDDLEWARE = re.compile(r"^[\w.-]+(@[a-z]+)?\Z", re.ASCII)
_ENTRYPOINT = re.compile(r"^[A-Za-z0-9_-]{1,64}\Z")
_PLAIN_ENTRYPOINT = re.compile(r"(?!traefik\Z)[a-z0-9_-]{1,64}\Z")
_UNPUBLISHABLE = ("http", "internal")


def normal_path(text: str) -> str:
    """A path with repeated and trailing slashes dropped; `/` for the root."""
    return "/" + "/".join(filter(None, text.split("/"))) if text != "/" else text


def _path_prefix(value: str) -> str:
    if not _UNRESERVED_PATH.match(value):
        raise ValueError("a path that begins with '/', of letters, digits, '/', '-', '.', '_', '~'")
    # Traefik resolves dot segments before it routes, so such a prefix could never match.
    if {".", ".."} & set(value.split("/")):
        raise ValueError("a path without '.' and '..' segments")
    return value


def _middleware(value: str) -> str:
    if not _MIDDLEWARE.match(value):
        raise ValueError("a middleware name such as 'auth' or 'auth@file'")
    if value.partition("@")[2] in _UNPUBLISHABLE:
        raise ValueError(
            "a middleware of another provider, such as 'auth@file'; not @http, @internal"
        )
    return value


def _entrypoint(value: str) -> None:
    if not _ENTRYPOINT.match(value):
        raise ValueError("an entrypoint name: 1 to 64 letters, digits, '_' and '-'")
    if value.lower() == "traefik":
        raise ValueError("'traefik' is Traefik's own entrypoint; use 'web' or 'websecure'")


def _file_name(value: str) -> str:
    parts = value.split("/")
    if not value or "\\" in value or "\0" in value or value.startswith("/") or ".." in parts:
        raise ValueError("the name of a file inside data/router/certs, not a path out of it")
    if any(part.startswith(".") or not part for part in parts):
        raise ValueError("a file inside data/router/certs whose name does not begin with '.'")
    return value


PathPrefix = Annotated[Text, AfterValidator(_path_prefix)]
MiddlewareName = Annotated[Text, AfterValidator(_middleware)]
EntrypointName = Annotated[Text, checked(_entrypoint, _PLAIN_ENTRYPOINT)]
CertificateFile = Annotated[Text, AfterValidator(_file_name)]


@dataclass(config=PART, frozen=True, kw_only=True, slots=True)
class TlsSpec:
    """The record's own certificate: two files inside `data/router/certs`, named together."""

    cert_file: CertificateFile | None = None
    key_file: CertificateFile | None = None
    domains: Annotated[list[HostPattern], FEW] | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> TlsSpec:
        if (self.cert_file is None) != (self.key_file is None):
            missing = "key_file" if self.key_file is None else "cert_file"
            raise PydanticCustomError(
                "half_pair",
                "{missing} is missing: a certificate and its key are named together",
                {"missing": missing, "pointer": f"/metadata/router/tls/{missing}"},
            )
        return self


@dataclass(config=PART, frozen=True, kw_only=True, slots=True)
class RouterSpec:
    """Supported fields of `metadata.router`; None, or an empty list, means omitted."""

    hostnames: Annotated[list[HostPattern], FEW] | None = None
    entrypoints: Annotated[list[EntrypointName], FEW] | None = None
    service_url: UpstreamUrl | None = None
    server_urls: Annotated[list[UpstreamUrl], FEW] | None = None
    port: Text | None = None
    path_prefix: PathPrefix | None = None
    strip_prefix: Flag | None = None
    middlewares: Annotated[list[MiddlewareName], FEW] | None = None
    pass_host_header: Flag | None = None
    tls: TlsSpec | None = None

    @property
    def path(self) -> str:
        """The normal path prefix, `/` when none is given."""
        return normal_path(self.path_prefix or "/")

    @property
    def strips(self) -> bool:
        """Whether the prefix is taken off before proxying; the default is yes, unless it is `/`."""
        return self.path != "/" and self.strip_prefix is not False
