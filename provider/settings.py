"""Settings: environment variables `ROUTEBOOK_*`, and flags of `serve` with the same names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    CliImplicitFlag,
    EnvSettingsSource,
    NoDecode,
    SettingsConfigDict,
    SettingsError,
)
from pydantic_settings import (
    PydanticBaseSettingsSource as Source,
)

from provider.auth.access import Role
from provider.auth.open_mode import is_local
from provider.observe.names import name_server
from provider.render.compile import Rules
from registry.history import BYTES_MAX
from registry.names import canonical_host, is_address

PREFIX = "ROUTEBOOK_"
# Kubernetes sets these in every pod beside a service that is called routebook.
_KUBERNETES = ("ROUTEBOOK_SERVICE_", "ROUTEBOOK_PORT")
RENDERING = (
    "listen",
    "data",
    "projects",
    "traefik_api",
    "tls_entrypoints",
    "cert_resolver",
    "middleware_provider",
    "servers_transport",
    "traefik_certs_dir",
    "default_certificate",
)
"""The settings that have a say in the document."""


class WrongSetting(ValueError):
    """A setting that cannot be used; the words name it and say what would be right."""


def _words(value: Any) -> Any:
    if isinstance(value, str):
        return [word for word in value.replace(",", " ").split() if word]
    return value


def _host_names(values: list[str]) -> list[str]:
    names = [canonical_host(value.removeprefix(".")) for value in values]
    if any(map(is_address, names)):
        raise ValueError("an address is no domain; loopback addresses are permitted anyway")
    return list(dict.fromkeys(names))


def _folder(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is no folder")
    return path


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(@[a-z]+)?$", max_length=200)]
Words = Annotated[list[str], NoDecode, BeforeValidator(_words)]


class Settings(BaseSettings):
    """Everything that can be set. Lists are separated by commas or spaces."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="forbid",
        cli_kebab_case=True,
        cli_prog_name="routebook serve",
        cli_avoid_json=True,
        cli_hide_none_type=True,
        frozen=True,
    )

    listen: Annotated[str, Field(description="address and port to listen on")] = "127.0.0.1:8700"
    data: Annotated[Path, AfterValidator(_folder), Field(description="the data folder")] = Path(
        "data"
    )
    projects: Annotated[
        Path, AfterValidator(_folder), Field(description="the folder of workspaces")
    ] = Path("projects")
    allowed_hosts: Annotated[
        Words, Field(description="further Host names that open mode answers")
    ] = []
    traefik_api: Annotated[Words, Field(description="URLs of the APIs of known Traefiks")] = []
    tls_entrypoints: Annotated[
        Words, Field(description="the entrypoints whose routers carry tls")
    ] = ["websecure"]
    cert_resolver: Annotated[
        Name | None, Field(description="resolver for records without an own certificate")
    ] = None
    middleware_provider: Annotated[
        Name, Field(description="provider that a bare middleware name belongs to")
    ] = "file"
    servers_transport: Annotated[
        Name | None, Field(description="transport for https upstreams, such as internal-ca@file")
    ] = None
    traefik_certs_dir: Annotated[
        str | None, Field(description="the certificate folder as Traefik sees it")
    ] = None
    tls_cert_file: Annotated[
        Path | None, Field(description="certificate of our own listener: it then speaks https")
    ] = None
    tls_key_file: Annotated[Path | None, Field(description="key of our own listener")] = None
    operator_token_file: Annotated[
        Path | None, Field(description="file with a token of role operator (compose secret)")
    ] = None
    traefik_token_file: Annotated[
        Path | None, Field(description="file with a token of role traefik (compose secret)")
    ] = None
    history_bytes_max: Annotated[
        int, Field(description="size at which the history file is rotated", ge=64 * 1024)
    ] = BYTES_MAX
    default_certificate: Annotated[
        CliImplicitFlag[bool], Field(description="make, keep and list a default certificate")
    ] = False
    dev_ca_domains: Annotated[
        Words,
        AfterValidator(_host_names),
        Field(description="what the development CA may sign for; empty: nothing"),
    ] = ["test", "localhost", "internal"]
    hold_s: Annotated[
        float, Field(description="long poll: seconds, below Traefik's pollTimeout", ge=0, le=60)
    ] = 4.0
    stale_health_s: Annotated[
        float, Field(description="seconds after which a health check is stale", gt=0, le=1e9)
    ] = 86400.0
    upgrade_plan: Annotated[
        Path | None,
        Field(description="file that the open human tasks are written to; none: to no file"),
    ] = None
    survey_s: Annotated[
        float, Field(description="seconds between two looks at what is outside", ge=1, le=86400)
    ] = 60.0
    dns_server: Annotated[
        str | None, Field(description="name server to ask, as address:port; else the system's")
    ] = None
    traefik_addresses: Annotated[
        Words, Field(description="addresses that host names are to lead to; else each host.ip")
    ] = []
    probe_public_only: Annotated[
        CliImplicitFlag[bool], Field(description="probe health.url at public addresses alone")
    ] = False
    init: Annotated[
        CliImplicitFlag[bool], Field(description="make an empty catalogue where there is none")
    ] = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: Source,
        env_settings: Source,
        dotenv_settings: Source,
        file_secret_settings: Source,
    ) -> tuple[Source, ...]:
        """Flags, which come first by themselves, then what `read_settings` read."""
        return (init_settings,)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on; port 0 takes a free one. Raises WrongSetting."""
        return _host_and_port(self.listen)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the listener."""
        return is_local(self.address[0])

    @property
    def token_files(self) -> dict[Role, Path]:
        """The token files that are set, by role."""
        files = {Role.OPERATOR: self.operator_token_file, Role.TRAEFIK: self.traefik_token_file}
        return {role: path for role, path in files.items() if path is not None}

    @property
    def upgrade_plan_file(self) -> Path | None:
        """The upgrade plan; by default the one in the repository around the data folder, if any."""
        if self.upgrade_plan is None:
            beside = self.data.absolute().parent / "docs" / "upgrade_plan.json"
            return beside if beside.is_file() else None
        return None if str(self.upgrade_plan) == "none" else self.upgrade_plan

    @property
    def points_of_entry(self) -> frozenset[str]:
        """`traefik_addresses` as DNS answers write them; empty when none is set."""
        return frozenset(map(canonical_host, self.traefik_addresses))

    @property
    def folders(self) -> dict[str, str | int]:
        """Where `data` and `projects` are, and how many workspaces there are now."""
        workspaces = sum(1 for _ in self.projects.glob("*/project.json"))
        folders = {"data": str(self.data.resolve()), "projects": str(self.projects.resolve())}
        return {**folders, "workspaces": workspaces}

    @property
    def certificates(self) -> Path:
        """The certificate folder."""
        return self.data / "router" / "certs"

    @property
    def traefik_certificates(self) -> str:
        """The certificate folder as Traefik sees it."""
        return self.traefik_certs_dir or str(self.certificates.absolute())

    def rules(self, port: int) -> Rules:
        """What has a say in rendering; `port` is the one that we listen on."""
        return Rules(
            tls_entrypoints=frozenset(self.tls_entrypoints),
            cert_resolver=self.cert_resolver,
            middleware_provider=self.middleware_provider,
            servers_transport=self.servers_transport,
            forbidden_upstreams={
                **_forbidden(self.address[0], port, "Routebook itself"),
                **_traefik_apis(self.traefik_api),
            },
        )


def read_settings(
    arguments: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> Settings:
    """Flags, then environment variables, then defaults. Raises WrongSetting, which names it."""
    chosen = os.environ if environ is None else environ
    _refuse_misspelt(chosen)
    from_environ = EnvSettingsSource(Settings)
    from_environ.env_vars = {name.lower(): value for name, value in chosen.items()}
    try:
        settings = Settings(
            _cli_parse_args=list(arguments), _cli_exit_on_error=False, **from_environ()
        )
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise WrongSetting("; ".join(faults)) from error
    except SettingsError as error:
        raise WrongSetting(str(error)) from error
    _refuse_mismatches(settings)
    return settings


def read_rendering_settings(
    arguments: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> Settings:
    """As `read_settings`, for rendering without a daemon: variables of no say in it are not read.

    A token file, for instance, need not be there. A misspelt name is refused all the same.
    """
    chosen = os.environ if environ is None else environ
    _refuse_misspelt(chosen)
    read = {PREFIX + name.upper() for name in RENDERING}
    return read_settings(arguments, {n: text for n, text in chosen.items() if n.upper() in read})


def _refuse_misspelt(environ: Mapping[str, str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in environ:
        if name.startswith(PREFIX) and not name.startswith(_KUBERNETES) and name not in known:
            raise WrongSetting(f"{name} is no setting; settings are {', '.join(sorted(known))}")


def _refuse_mismatches(settings: Settings) -> None:
    _host_and_port(settings.listen)
    if (settings.tls_cert_file is None) != (settings.tls_key_file is None):
        raise WrongSetting("tls_cert_file, tls_key_file: set both, or neither")
    for role, path in settings.token_files.items():
        if not _has_text(path):
            raise WrongSetting(f"{role.value}_token_file: {path} cannot be read, or is empty")
    for url in settings.traefik_api:
        if not _is_api(url):  # the words leave it out: it may have a password
            raise WrongSetting(
                "traefik_api: not a URL such as http://127.0.0.1:8080; reserved characters of a "
                "password are written as %2F, and a user has no ':'"
            )
    _refuse_odd_addresses(settings)


def _refuse_odd_addresses(settings: Settings) -> None:
    for address in settings.traefik_addresses:
        if not is_address(address) or "[" in address:
            raise WrongSetting(f"traefik_addresses: {address!r} is no address such as 192.0.2.7")
    if settings.dns_server is not None:
        try:
            name_server(settings.dns_server)
        except ValueError as error:
            raise WrongSetting(f"dns_server: {error}") from error


def _traefik_apis(urls: Iterable[str]) -> dict[tuple[str, int], str]:
    forbidden: dict[tuple[str, int], str] = {}
    for url in map(urlsplit, urls):
        port = url.port or (443 if url.scheme == "https" else 80)
        forbidden |= _forbidden(url.hostname or "", port, "the API of a Traefik")
    return forbidden


def _forbidden(host: str, port: int, what: str) -> dict[tuple[str, int], str]:
    """Loopback has many names; the renderer asks for them as `localhost`."""
    local = host in ("localhost", "::1", "0.0.0.0", "::") or host.startswith("127.")
    return {(name, port): what for name in ({host, "localhost"} if local else {host})}


def _host_and_port(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise WrongSetting(f"listen: {listen!r} is not an address such as 127.0.0.1:8700")
    return host.strip("[]"), int(port)


def _has_text(path: Path) -> bool:
    try:
        return bool(path.read_bytes().strip())
    except OSError:
        return False


def _is_api(url: str) -> bool:
    """A later `@` belongs to a password that was cut: then the rest of it would be shown."""
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        cut = "@" in parts.path + parts.query + parts.fragment
        return is_http and not cut and ":" not in unquote(parts.username or "")
    except ValueError:  # brackets, or a port out of range
        return False
