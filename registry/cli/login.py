"""Logins: `login` stores a token for an API, `logout` takes it away."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from registry.cli.terminal import AsJson, advising, client_of, say, say_json


def login(
    context: typer.Context,
    email: Annotated[str | None, typer.Argument(help="your account; asked for otherwise")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the password from standard input")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Store a token for this API.

    In a file of yours alone; it ends after twelve hours.
    """
    client, environ = client_of(context), context.obj
    email = email or environ.get("AGENT_EMAIL") or _asked("E-mail")
    if password_stdin:
        password = _password()
    else:
        password = environ.get("AGENT_PASSWORD") or _asked("Password", hide=True)
    with advising("look at the e-mail and the password, and try again", "unauthenticated"):
        session = {"email": email, **client.login(str(email), password)}
    client.sessions.store(client.url, session)
    if as_json:
        say_json({"url": client.url, "email": email, "expires_at": session["expires_at"]})
    else:
        say(f"{email} is logged in at {client.url} until {session['expires_at']}")


def _asked(what: str, *, hide: bool = False) -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            f"{what}: there is no terminal to ask on; name EMAIL and --password-stdin, or set "
            "AGENT_EMAIL and AGENT_PASSWORD"
        )
    return str(typer.prompt(what, hide_input=hide, err=True))


def _password() -> str:
    try:
        return sys.stdin.buffer.readline().decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:  # not the error itself: it would quote the password
        raise typer.BadParameter("--password-stdin: standard input is not UTF-8") from None


def logout(context: typer.Context, as_json: AsJson = False) -> None:
    """End the stored login of this API."""
    client = client_of(context)
    stored = client.sessions.token_of(client.url)
    if stored is not None:
        try:
            client.call("POST", "/api/auth/logout", {})
        finally:
            client.sessions.forget(client.url)
    if as_json:
        say_json({"url": client.url, "logged_out": stored is not None})
    else:
        say(f"logged out of {client.url}" if stored else f"no login was stored for {client.url}")
