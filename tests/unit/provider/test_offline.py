"""A folder judged without a daemon: each kind of fault at its place, and what is only a warning."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.daemons import Folders
from tests.records import GONE, NEW, record
from tests.unit.provider.observe.pems import pem, put
from tests.unit.provider.offline import TLS, judged, lines, place, routed, write


async def test_a_folder_without_faults_has_none_and_is_counted(folders: Folders) -> None:
    put(folders.certificates, "app", pem("dev.test", "two.test"), mode=0o600)
    write(folders, routed(tls=TLS), routed("two", tls=TLS), record(slug="three"))
    found = await judged(folders)
    assert found.findings == ()
    assert (found.environments, found.workspaces, found.certificates) == (3, 2, 1)
    assert found.document is not None
    assert found.document.routed == ("env-dev", "env-two")


async def test_an_unreadable_catalogue_is_a_fault_at_its_line_and_column(folders: Folders) -> None:
    folders.catalogue.write_text('{"version": 1,\n  "environments": [}\n')
    found = await judged(folders)
    (line,) = lines(found)
    assert line.startswith(f"{folders.catalogue}:2:20: Expecting value; mend the file")
    assert found.document is None
    assert found.faults[0].code == "catalogue_unreadable"


async def test_bytes_that_are_no_text_are_a_fault_of_the_file(folders: Folders) -> None:
    folders.catalogue.write_bytes(b'{"version": 1,\n "environments": ["\xff"]}')
    (line,) = lines(await judged(folders))
    assert line.startswith(f"{folders.catalogue}:2:20: a byte is not UTF-8")


async def test_a_missing_catalogue_is_a_fault(folders: Folders) -> None:
    folders.catalogue.unlink()
    (line,) = lines(await judged(folders))
    assert line.startswith(f"{folders.catalogue}:1:1: the catalogue file is gone")


async def test_a_catalogue_that_is_no_file_is_a_fault(folders: Folders) -> None:
    folders.catalogue.unlink()
    folders.catalogue.mkdir()
    (line,) = lines(await judged(folders))
    assert line.startswith(f"{folders.catalogue}:1:1: cannot read environments.json")


async def test_a_broken_record_has_all_its_faults_and_the_others_are_rendered(
    folders: Folders,
) -> None:
    broken = record(slug="two", name="", host={"hostname": "two words"}, colour="red")
    write(folders, routed(), broken)
    found = await judged(folders)
    at = [place(folders, value) for value in ("", "two words", "red")]
    assert [line.split(": /")[0] for line in lines(found)] == at
    assert [fault.pointer for fault in found.faults] == ["/name", "/host/hostname", "/colour"]
    assert {(fault.code, fault.environment) for fault in found.faults} == {
        ("invalid_record", "env-two")
    }
    assert found.document is not None
    assert found.document.routed == ("env-dev",)


async def test_a_missing_field_is_at_the_object_that_lacks_it(folders: Folders) -> None:
    write(folders, record(host=GONE))
    assert lines(await judged(folders)) == [f"{folders.catalogue}:4:5: /host: Field required"]


async def test_of_two_records_with_one_slug_or_id_the_second_is_at_fault(folders: Folders) -> None:
    same_slug = record(environment_id="env-other")
    write(folders, record(), same_slug, record(slug="third", environment_id="env-dev"))
    keeps = "and keeps it: id 'env-dev', slug 'dev'"
    assert lines(await judged(folders)) == [
        f"{place(folders, 'dev', 2)}: /slug: another record has 'dev' too, {keeps}",
        f"{place(folders, 'env-dev', 2)}: /environment_id: "
        f"another record has 'env-dev' too, {keeps}",
    ]


async def test_a_key_that_stands_twice_is_a_fault_of_its_record(folders: Folders) -> None:
    folders.catalogue.write_text(
        '[\n  {"slug": "dev", "slug": "two"},\n  ' + json.dumps(record(slug="three")) + "\n]"
    )
    assert lines(await judged(folders)) == [
        f'{folders.catalogue}:2:3: the key "slug" stands twice in one object'
    ]


async def test_a_record_in_an_unknown_workspace_is_at_fault_and_routed(folders: Folders) -> None:
    write(folders, routed() | {"project_id": "nightshft"})
    found = await judged(folders)
    assert lines(found) == [
        f"{place(folders, 'nightshft')}: /project_id: no workspace 'nightshft': "
        "projects/nightshft/project.json is not there; did you mean nightshift?"
    ]
    assert found.document is not None
    assert found.document.routed == ("env-dev",), "as a daemon does that starts on it"
    assert found.left_out == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{\n  "id": "shop",\n  "name":\n}', "4:1: Expecting value"),
        ('{"id": "shop", "name": "a",\n "name": "b"}', '1:1: the key "name" stands twice in one'),
        ('{\n  "id": "shop",\n  "name": 7}', "3:11: /name: Input should be a valid string"),
        (' {"id": "shop"}', "1:2: /name: Field required"),
        ('{"id": "shop", "name": "s", "contacts": [\n{}]}', "2:1: /contacts/0/name: Field req"),
        ('{"id": "other", "name": "s"}', "1:8: /id: says id 'other'; the folder and the id must"),
        ("[]", "1:1: Input should be"),
    ],
)
async def test_a_broken_workspace_is_a_fault_though_no_record_uses_it(
    folders: Folders, text: str, fault: str
) -> None:
    spec = folders.projects / "shop" / "project.json"
    spec.parent.mkdir()
    spec.write_text(text)
    found = await judged(folders)
    (line,) = lines(found)
    assert line.startswith(f"{spec}:{fault}")
    assert found.faults[0].code == "invalid_workspace"
    assert found.workspaces == 3
    assert found.left_out == []


async def test_every_fault_of_a_workspace_is_told(folders: Folders) -> None:
    (folders.projects / "storefront" / "project.json").write_text('{"name": 1}')
    assert [fault.pointer for fault in (await judged(folders)).faults] == ["/id", "/name"]


async def test_a_folder_that_cannot_name_a_workspace_is_a_fault_and_a_hidden_one_is_not(
    folders: Folders,
) -> None:
    for name in ("My Shop", ".git"):
        (folders.projects / name).mkdir()
        (folders.projects / name / "project.json").write_text("{}")
    assert lines(await judged(folders)) == [
        f"{folders.projects}/My Shop/project.json:1:1: 'My Shop' cannot name a workspace"
    ]


async def test_workspaces_are_judged_though_the_catalogue_is_unreadable(folders: Folders) -> None:
    folders.catalogue.write_text("")
    (folders.projects / "storefront" / "project.json").write_text("{}")
    codes = [fault.code for fault in (await judged(folders)).faults]
    assert codes == ["catalogue_unreadable", "invalid_workspace", "invalid_workspace"]


async def test_a_forbidden_upstream_is_a_fault(folders: Folders) -> None:
    write(folders, routed(service_url="http://169.254.169.254/"), routed("two"))
    found = await judged(folders, forbidden_upstreams={("10.0.0.1", 9000): "Routebook itself"})
    assert lines(found) == [
        f"{place(folders, 'http://169.254.169.254/')}: /metadata/router/service_url: "
        "169.254.169.254 is a link-local or unspecified address",
        f"{place(folders, 'http://10.0.0.1:9000')}: /metadata/router/service_url: "
        "http://10.0.0.1:9000 is Routebook itself",
    ]
    assert {fault.code for fault in found.faults} == {"forbidden_upstream"}
    assert found.left_out == found.faults


async def test_a_record_may_be_forbidden_and_in_an_unknown_workspace(folders: Folders) -> None:
    write(folders, routed(service_url="http://169.254.169.254/") | {"project_id": "none"})
    codes = [fault.code for fault in (await judged(folders)).faults]
    assert codes == ["unknown_project", "forbidden_upstream"]


async def test_a_lost_claim_names_both_records_at_the_one_that_loses(folders: Folders) -> None:
    write(folders, routed("late", NEW, hostnames=["dev.test"]), routed("dev"))
    found = await judged(folders)
    assert lines(found) == [
        f"{place(folders, '[', 2)}: /metadata/router/hostnames: env-late (late) loses "
        "a claim: dev.test/ on websecure is held by env-dev (dev), which is older"
    ]
    assert (found.faults[0].code, found.faults[0].environment) == ("route_conflict", "env-late")
    assert found.left_out == found.faults


async def test_faults_come_in_the_order_of_lines(folders: Folders) -> None:
    put(folders.certificates, "other", pem("other.test"), mode=0o600)
    write(
        folders,
        routed("late", NEW, hostnames=["dev.test"]),
        routed("dev", tls=TLS),
        record(slug="three", name=""),
        record(slug="four", project_id="none"),
    )
    found = await judged(folders)
    assert [each.code for each in found.faults] == [
        "route_conflict",
        "certificate_left_out",
        "invalid_record",
        "unknown_project",
    ]


async def test_nothing_is_written(folders: Folders) -> None:
    put(folders.certificates, "app", pem("dev.test"), mode=0o600)
    hand_made = record(slug="two", environment_id=GONE, owner=GONE, created_at=GONE)
    write(folders, routed(tls=TLS), hand_made, {"slug": "broken"})
    root = folders.data.parent
    before = listing(root)
    assert (await judged(folders, default_certificate=True)).document is not None
    assert listing(root) == before


def listing(root: Path) -> dict[str, tuple[int, int, int]]:
    """Everything below a folder, with mode, size and time of change."""
    found = {}
    for path in [root, *root.rglob("*")]:
        status = os.lstat(path)
        found[str(path)] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


async def test_a_broken_record_hides_no_unknown_workspace(folders: Folders) -> None:
    write(folders, record(project_id="gone", name=7), record(slug="two", owner=GONE))
    pointers = [fault.pointer for fault in (await judged(folders)).faults]
    assert sorted(pointers) == ["/name", "/project_id"]
