"""The `routebook` command."""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from provider.commands import accounts, offline, tokens
from registry.cli.terminal import printable, say, words_of
from registry.cli.verbs import add_verbs
from registry.connection import Unreachable
from registry.errors import RegistryError

# Plain help: a fourth of the time that the drawn one takes.
app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)
add_verbs(app)
app.add_typer(accounts.app, name="accounts")
app.add_typer(tokens.app, name="tokens")
app.command()(offline.check)
app.command()(offline.render)
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say(f"routebook {version('routebook')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_say_version, is_eager=True, help="Print it and exit."),
]


@app.callback()
def routebook(context: typer.Context, version: Version = False) -> None:
    """One catalogue of every dev, test and preview environment, which Traefik serves by itself."""
    context.obj = os.environ


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def serve(context: typer.Context) -> None:
    """The daemon: API and Traefik provider.

    `serve --help` lists every setting.
    """
    # Imported here: the packages behind it take longer than `--help` may.
    import asyncio

    from provider.daemon import serve as serve_daemon
    from provider.event_loop import new_event_loop
    from provider.logs import configure_logs
    from provider.settings import WrongSetting, read_settings

    configure_logs()
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve_daemon(read_settings(context.args)))
    except WrongSetting as error:
        _end(f"wrong setting: {error}", 2)
    except RegistryError as error:
        _end(f"{error.code}: {error.detail}", 1)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="prove it, then exit with 0 or 1")] = False,
) -> None:
    """Everything on loopback.

    The daemon, a real Traefik, two upstreams, a sample catalogue.
    """
    import asyncio

    from provider.demo.show import run

    sys.exit(asyncio.run(run(once=once)))


def _end(words: str, status: int) -> NoReturn:
    print(f"routebook: {words}", file=sys.stderr)
    sys.exit(status)


def main() -> None:
    """The entry point of the `routebook` script."""
    try:
        app(prog_name="routebook")
    except RegistryError as error:
        print("\n".join(map(printable, words_of(error))), file=sys.stderr)
        sys.exit(1)
    except Unreachable as error:
        _end(printable(error), 3)
    except OSError as error:  # standard output on a full disk, a home that cannot be written
        _end(printable(error), 1)


if __name__ == "__main__":
    main()
