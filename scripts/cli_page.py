#!/usr/bin/env python3
"""Prints docs/cli.md, made from the program: `make docs` writes it, a test compares."""

import typer
from typer.cli import get_docs_for_click

from provider.__main__ import app

INTRO = """\
# Command line

Made from the program by `make docs`; a test compares. `scripts/environments.py VERB` is the same from a checkout.

The verbs speak to the API at `AGENT_API_URL`, by default `http://127.0.0.1:8700`; `check`, `render`, `serve`, `demo`,
`accounts` and `tokens` work on folders. Who calls is said by `AGENT_TOKEN` or the file `AGENT_TOKEN_FILE`, else by
`AGENT_EMAIL` with `AGENT_PASSWORD`, else by what `routebook login` stored for that address.

| exit code | means |
|---|---|
| 0 | done |
| 1 | refused; standard error has the code, the places, and the next step |
| 1 | with `--wait`: saved, but not live; standard error has each Traefik that does not serve it, and why |
| 2 | wrong usage, or a file that cannot be read as records; nothing was sent |
| 3 | the API cannot be reached, or what answers is not Routebook |
| 130 | `watch` was ended by Ctrl-C |

`--json` prints one JSON value on standard output; `watch --json` prints one a line, as the events come. Tables are fitted to the width of a terminal, where ids and slugs stay whole and prose goes below its row, and are whole in a pipe.

A write with `--wait SECONDS` ends as soon as every Traefik that `ROUTEBOOK_TRAEFIK_API` names was seen to serve it, or
surely will not. The write is done either way. What claims no route (planned, retired, deleted, without
`metadata.router`) is awaited until none of them serves it any more; that is 0, with a remark. Where no Traefik is known
nothing is proved, which is 1. In `list` the column LIVE has yes, no, ? where it is not known, and - for what claims no
route.

"""


def page() -> str:
    """The page as Markdown."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="routebook")
    made = get_docs_for_click(obj=command, ctx=context, name="routebook")
    return (
        INTRO
        + made.rstrip("\n").replace("\n#", "\n##").replace("# `routebook`", "## `routebook`", 1)
        + "\n"
    )


if __name__ == "__main__":
    print(page(), end="")
