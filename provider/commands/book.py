"""What the commands on accounts and tokens share: the book, the options, the way to fail."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.errors import RegistryError

if TYPE_CHECKING:
    from provider.auth.book import AccountBook

DATA = Path("data")
Data = Annotated[
    Path, typer.Option("--data", envvar="ROUTEBOOK_DATA", help="the data folder of the daemon")
]
_CLOSED = "\nFrom now on everybody has to say who they are, Traefik too.{make}"
_MAKE = """ Make it a token:
  routebook tokens create --role traefik --name traefik --data {data}"""
_GIVE = """Put it into Traefik's static configuration, and start Traefik anew:
  providers:
    http:
      endpoint: http://127.0.0.1:8700/traefik/config
      headers:
        Authorization: Bearer <the token>"""


def book_of(data: Path) -> AccountBook:
    """The accounts and tokens of a data folder; exits with 1 where there is none."""
    # Imported here: `routebook --help` need not wait for pydantic.
    from provider.auth.book import AccountBook
    from registry.store import utc_now

    if not data.is_dir():
        print(f"routebook: {data} is no folder; name the data folder with --data", file=sys.stderr)
        raise typer.Exit(1)
    return AccountBook(data, utc_now)


@contextlib.contextmanager
def ended(unknown: str = "{!r} is not there") -> Iterator[None]:
    """Refusals in one line on standard error, and exit code 1; `unknown` are those of a key."""
    try:
        yield
    except KeyError as error:
        print(f"routebook: {unknown.format(error.args[0])}", file=sys.stderr)
        raise typer.Exit(1) from error
    except (ValueError, RegistryError) as error:
        print(f"routebook: {_words(error)}", file=sys.stderr)
        raise typer.Exit(1) from error


def say(words: str, row: Mapping[str, object], *, as_json: bool) -> None:
    """What was done: in words, or as one JSON value."""
    print(json.dumps(row) if as_json else words)


def say_closed(data: Path, *, has_traefik_token: bool = False) -> None:
    """That open mode is over, and what Traefik needs now; on standard error."""
    make = "" if has_traefik_token else _MAKE.format(data=data)
    print(_CLOSED.format(make=make), _GIVE, sep="\n", file=sys.stderr)


def _words(error: Exception) -> str:
    if isinstance(error, RegistryError):
        return f"{error.code}: {error.detail}"
    from pydantic import ValidationError

    if isinstance(error, ValidationError):  # of an account: nothing else is typed freely
        return f"{error.errors()[0]['input']!r} is not an e-mail address such as mika@shop.test"
    return str(error)
