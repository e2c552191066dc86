"""Documents in a log, by what each environment has in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from provider.document_log import DocumentLog, LoggedDocument
from tests.unit.fakes import NOON


def add(
    log: DocumentLog, digest: str, shares: Mapping[str, str], at: datetime = NOON
) -> LoggedDocument:
    """Note a document in which environments have just these shares."""
    had = {each: log.share(each, log.latest) if log.latest else None for each in log._changes}
    now = {each: shares.get(each) for each in had.keys() | shares.keys()}
    return log.add(digest, {e: tag for e, tag in now.items() if tag != had.get(e)}, at, 0.0)
