"""The units hold together: with systemd's own checks, with each other, with the code they start."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vonggac_appliance.sockets import CLASSES

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted((ROOT / "systemd").glob("*.service"))
UNITS = [*SERVICES, *sorted((ROOT / "systemd").glob("*.target"))]
PACKAGING = ROOT / "appliance" / "packaging"
EXPOSURE_MAX = "20"  # tenths: 2.0 of 10

services = pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)


def directives(unit: Path) -> list[tuple[str, str]]:
    """Name and value of every line that says something."""
    lines = [line for line in unit.read_text().splitlines() if "=" in line and line[0].isalpha()]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def values(unit: Path, name: str) -> list[str]:
    return " ".join(value for key, value in directives(unit) if key == name).split()


def packaged(file: str) -> list[list[str]]:
    """The rows of a sysusers.d or tmpfiles.d file."""
    lines = (PACKAGING / file).read_text().splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def test_systemd_finds_nothing_to_say(tmp_path: Path, program: Callable[[str], str]) -> None:
    analyze = program("systemd-analyze")
    system = Path("/lib/systemd/system")
    if not (system / "sysinit.target").exists():
        pytest.skip("systemd's own units are not installed")
    # An own root: the program is not installed where the tests run, and need not be.
    shutil.copytree(system, tmp_path / "usr/lib/systemd/system", symlinks=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/vonggac").write_text("#!/bin/sh\n")
    (tmp_path / "usr/bin/vonggac").chmod(0o755)
    ours = [shutil.copy(unit, tmp_path / "etc/systemd/system") for unit in UNITS]
    done = subprocess.run(
        [analyze, "verify", "--man=no", f"--root={tmp_path}", *map(str, ours)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    said = [line for line in done.stderr.splitlines() if "vonggac" in line]
    assert (done.returncode, said) == (0, []), done.stderr


@services
def test_the_exposure_is_at_most_two_of_ten(unit: Path, program: Callable[[str], str]) -> None:
    command = [program("systemd-analyze"), "security", "--offline=true", "--no-pager"]
    done = subprocess.run(
        [*command, f"--threshold={EXPOSURE_MAX}", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-400:] + done.stderr


@services
def test_every_directive_has_its_reason_above_it(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    body = lines[lines.index("[Service]") : lines.index("[Install]")]
    seen: set[str] = set()
    for above, line in itertools.pairwise(body):
        name = line.partition("=")[0]
        if not line or line[0] in "#[" or name in seen:
            continue
        seen.add(name)
        assert above.startswith("#") and not above.startswith("# --"), f"{unit.name}: {line}"


@services
def test_a_unit_starts_a_command_that_exists(unit: Path) -> None:
    cli = pytest.importorskip("vonggac_appliance.cli", exc_type=ImportError)
    (start,) = [value for name, value in directives(unit) if name == "ExecStart"]
    path, *arguments = start.split()
    assert path == "/usr/bin/vonggac"
    cli.parser().parse_args(arguments)


@services
def test_users_and_groups_are_made_by_sysusers(unit: Path) -> None:
    rows = packaged("vonggac.sysusers.conf")
    users = {row[1] for row in rows if row[0] == "u"}
    groups = users | {row[1] for row in rows if row[0] == "g"}

    assert set(values(unit, "User")) <= users
    assert {*values(unit, "Group"), *values(unit, "SupplementaryGroups")} <= groups


@services
def test_a_service_is_in_the_groups_of_the_sockets_it_binds(unit: Path) -> None:
    user = values(unit, "User")[0]
    members = {row[2] for row in packaged("vonggac.sysusers.conf") if row[:2] == ["m", user]}
    owned = {
        row[4]
        for row in packaged("vonggac.tmpfiles.conf")
        if row[3] == user and row[1].startswith("/var/lib/vonggac/run/")
    }

    assert owned <= members | {user}
    assert set(values(unit, "SupplementaryGroups")) <= members


def test_marks_from_before_their_group_are_given_to_it(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    tmpfiles = program("systemd-tmpfiles")
    if os.geteuid() != 0:
        pytest.skip("only root gives files to others")
    rows = packaged("vonggac.sysusers.conf")
    names = ["root", *(row[1] for row in rows if row[0] in "ug")]
    ids = {name: 7000 + number if number else 0 for number, name in enumerate(names)}
    (tmp_path / "etc/tmpfiles.d").mkdir(parents=True)
    (tmp_path / "etc/passwd").write_text("".join(f"{n}:x:{i}:{i}::/:\n" for n, i in ids.items()))
    (tmp_path / "etc/group").write_text("".join(f"{n}:x:{i}:\n" for n, i in ids.items()))
    shutil.copy(PACKAGING / "vonggac.tmpfiles.conf", tmp_path / "etc/tmpfiles.d")
    folder = tmp_path / "var/lib/vonggac/hooks/marks" / ("01" * 16)
    folder.mkdir(parents=True)
    old = folder / "20261101.1-00.marks"
    old.touch()
    for path, mode in ((folder.parent, 0o750), (folder, 0o750), (old, 0o640)):
        path.chmod(mode)
        os.chown(path, ids["vonggac-hooks"], ids["vonggac-hooks"])

    command = [tmpfiles, f"--root={tmp_path}", "--create", "--prefix=/var/lib/vonggac/hooks"]
    subprocess.run([*command, "vonggac.tmpfiles.conf"], timeout=60, check=True)

    found = [path.stat() for path in (folder.parent, folder, old)]
    assert [stat.S_IMODE(one.st_mode) for one in found] == [0o2750, 0o2750, 0o640]
    assert {one.st_gid for one in found} == {ids["vonggac-marks"]}
    assert {one.st_uid for one in found} == {ids["vonggac-hooks"]}


def test_every_class_of_callers_has_its_directory_with_setgid() -> None:
    rows = {row[1]: row[2] for row in packaged("vonggac.tmpfiles.conf") if row[0] == "d"}
    for name in CLASSES:
        assert rows[f"/var/lib/vonggac/run/{name}"] == "2750"


def test_the_page_has_no_way_to_keys_disks_or_the_log_itself() -> None:
    unit = ROOT / "systemd/vonggac-serve.service"
    members = {row[2] for row in packaged("vonggac.sysusers.conf") if row[1] == "vonggac-serve"}
    hidden = {path.lstrip("-") for path in values(unit, "InaccessiblePaths")}
    home = "/var/lib/vonggac"

    assert not members & {"vonggac-keys", "vonggac-machine", "vonggac-record", "vonggac-audit"}
    assert {"/srv/vonggac", f"{home}/keys", f"{home}/audit", f"{home}/ledger"} <= hidden
    assert values(unit, "ReadWritePaths") == [f"{home}/serve", f"{home}/catalog"]


@services
def test_what_a_service_writes_is_made_by_tmpfiles(unit: Path) -> None:
    rows = {row[1] for row in packaged("vonggac.tmpfiles.conf")}

    assert {path.lstrip("-") for path in values(unit, "ReadWritePaths")} <= rows


@services
def test_a_wrong_configuration_is_not_tried_again(unit: Path) -> None:
    assert values(unit, "RestartPreventExitStatus") == ["78"]
    assert values(unit, "Restart") == ["always"]


def test_the_units_say_that_they_never_ran_under_a_real_systemd() -> None:
    # Whoever runs tests/systemd.sh on such a machine takes the sentence away.
    for unit in SERVICES:
        assert re.search(r"Never yet started under a real systemd", unit.read_text())


# prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN) is what MemoryDenyWriteExecute= asks of the kernel;
# it lasts through exec.
_WITHOUT_EXECUTABLE_MEMORY = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).prctl(65, 1, 0, 0, 0) != 0:
    sys.exit(77)
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
"""


@pytest.mark.parametrize(
    "work",
    [
        pytest.param("import vonggac_appliance.record", id="record"),
        pytest.param("import vonggac_appliance.audit", id="audit"),
        pytest.param("import vonggac_appliance.keep", id="keep"),
        pytest.param("import vonggac_appliance.hooks_run, zmq; zmq.curve_keypair()", id="hooks"),
        pytest.param("import vonggac_appliance.serve, vonggac_web.app", id="serve"),
        pytest.param("import vonggac_appliance.motion_run", id="motion"),
        # cffi makes callbacks in executable memory; hashing a password uses none.
        pytest.param(
            "from vonggac.registry.passwords import Hasher; h = Hasher(1, 64); "
            "assert h.is_right('a', h.hash('a'))",
            id="hash-a-password",
        ),
    ],
)
def test_what_a_unit_starts_needs_no_executable_memory(work: str) -> None:
    script = (
        "import mmap\n"
        "try:\n"
        "    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\n"
        "except PermissionError:\n"
        f"    {work}\n"
        "else:\n"
        "    raise SystemExit('not in force')\n"
    )
    command = [sys.executable, "-c", _WITHOUT_EXECUTABLE_MEMORY, script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 77:
        pytest.skip("this kernel does not know PR_SET_MDWE")

    assert done.returncode == 0, done.stderr
