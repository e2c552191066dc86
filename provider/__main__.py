"""The `routebook` command."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Annotated, NoReturn

import typer

from provider.commands import accounts, tokens

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)
app.add_typer(accounts.app, name="accounts")
app.add_typer(tokens.app, name="tokens")
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.callback()
def routebook() -> None:
    """One catalogue of every dev, test and preview environment, which Traefik serves by itself."""


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def serve(context: typer.Context) -> None:
    """The daemon: REST API and Traefik provider. `serve --help` lists every setting."""
    # Imported here: the packages behind it take longer than `--help` may.
    from provider.daemon import serve as serve_daemon
    from provider.logs import configure_logs
    from provider.settings import WrongSetting, read_settings
    from registry.errors import RegistryError

    configure_logs()
    try:
        asyncio.run(serve_daemon(read_settings(context.args)))
    except WrongSetting as error:
        _end(f"wrong setting: {error}", 2)
    except RegistryError as error:
        _end(f"{error.code}: {error.detail}", 1)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="prove it, then exit with 0 or 1")] = False,
) -> None:
    """Everything on loopback: the daemon, a real Traefik, two upstreams, a sample catalogue."""
    from provider.demo.show import run

    sys.exit(asyncio.run(run(once=once)))


@app.command()
def confirm(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON value")] = False,
) -> None:
    """Let a hand edit through that is held back, or that was older than a write of the API."""
    from registry.client import Client, Unreachable
    from registry.errors import RegistryError

    try:
        ids = Client(os.environ).confirm()
    except RegistryError as error:
        _end(f"{error.code}: {error.detail}", 1)
    except Unreachable as error:
        _end(str(error), 3)
    if as_json:
        print(json.dumps({"confirmed": ids}))
    else:
        print("\n".join(ids) if ids else "nothing waited")


def _end(words: str, status: int) -> NoReturn:
    print(f"routebook: {words}", file=sys.stderr)
    sys.exit(status)


def main() -> None:
    """The entry point of the `routebook` script."""
    app(prog_name="routebook")


if __name__ == "__main__":
    main()
