"""A throw-away copy of the sample catalogue, on ports that are free here."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from provider.observe.default_certificate import self_signed

ROOT = Path(__file__).resolve().parent.parent.parent
_SAMPLE_PORTS = (9001, 9002)
CERTIFIED = "env-nightshift-dev"
HOST = "nightshift-dev.test"


def copy_sample(target: Path, ports: tuple[int, int]) -> tuple[Path, Path]:
    """Data and projects folders under `target`, the sample's two ports replaced by these.

    Raises FileNotFoundError where there is no checkout with the sample.
    """
    source = ROOT if (ROOT / "data" / "environments.json").exists() else Path.cwd()
    data, projects = target / "data", target / "projects"
    (data / "router" / "certs").mkdir(parents=True)
    shutil.copytree(source / "projects", projects)
    catalogue = (source / "data" / "environments.json").read_text("utf-8")
    for sample, free in zip(_SAMPLE_PORTS, ports, strict=True):
        catalogue = catalogue.replace(str(sample), str(free))
    (data / "environments.json").write_text(catalogue, "utf-8")
    _certify(data, json.loads(catalogue))
    return data, projects


def _certify(data: Path, catalogue: dict[str, list[dict[str, object]]]) -> None:
    """The pair that the sample's TLS record names, self-signed."""
    record = next(e for e in catalogue["environments"] if e["environment_id"] == CERTIFIED)
    tls = record["metadata"]["router"]["tls"]  # type: ignore[index]
    now = datetime.now(UTC)
    certificate, key = self_signed(
        tls["domains"], now - timedelta(hours=1), now + timedelta(days=7)
    )
    certs = data / "router" / "certs"
    (certs / tls["key_file"]).write_bytes(key)
    (certs / tls["key_file"]).chmod(0o600)
    (certs / tls["cert_file"]).write_bytes(certificate)
