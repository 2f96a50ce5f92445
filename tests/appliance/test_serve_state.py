"""What `serve` remembers, on a real LMDB."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from vonggac.errors import StorageError
from vonggac_appliance.serve_state import ServeState, decode_row, encode_row


class Row(msgspec.Struct, frozen=True):
    text: str


def test_rows_outlive_the_process(home: Path) -> None:
    with ServeState(home) as state, state.write() as rows:
        rows.put("looks", b"a", b"1")
        rows.put("looks", b"b", b"2")
        rows.put("sessions", b"a", b"3")
    with ServeState(home) as state:
        with state.write() as rows:
            assert rows.delete("looks", b"b")
            assert not rows.delete("looks", b"b")
        with state.read() as rows:
            assert rows.all("looks") == [(b"a", b"1")]
            assert rows.get("sessions", b"a") == b"3"
            assert rows.get("setup", b"a") is None


def fail_half_way(state: ServeState) -> None:
    with state.write() as rows:
        rows.put("looks", b"a", b"1")
        rows.put("looks", b"k" * 600, b"longer than a key may be")


def test_what_fails_half_way_was_never_written(home: Path) -> None:
    with ServeState(home) as state:
        with pytest.raises(StorageError):
            fail_half_way(state)
        with state.read() as rows:
            assert rows.all("looks") == []


def test_nobody_else_reads_it(home: Path) -> None:
    before = os.umask(0)
    try:
        ServeState(home).close()
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (home / "serve").iterdir()}
    assert modes == {"data.mdb": 0o600, "lock.mdb": 0o600}
    assert stat.S_IMODE((home / "serve").stat().st_mode) == 0o700


def test_what_root_makes_belongs_to_the_service_user(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving files away needs root")
    import pwd

    nobody = pwd.getpwnam("nobody")
    monkeypatch.setattr("vonggac_appliance.serve_state.SERVE_USER", "nobody")
    with ServeState(home) as state, state.write() as rows:
        rows.put("setup", b"code", b"1")
    owners = {p.stat().st_uid for p in ((home / "serve"), *(home / "serve").iterdir())}
    assert owners == {nobody.pw_uid}


def test_two_processes_share_it(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from vonggac_appliance.serve_state import ServeState\n"
        "with ServeState(Path(sys.argv[1])) as state, state.write() as rows:\n"
        "    rows.put('setup', b'code', b'1')\n"
    )
    with ServeState(home) as state:
        subprocess.run([sys.executable, "-c", code, str(home)], check=True, timeout=120)
        with state.read() as rows:
            assert rows.get("setup", b"code") == b"1"


def test_a_row_comes_back_as_it_was(home: Path) -> None:
    assert decode_row(encode_row(Row("ấ")), Row) == Row("ấ")


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x00\x01", b"\x00\x02\x81\xa4text\xa1a", b"\x00\x01\x81\xa4text\x07", b"\x00\x01\xc1"],
    ids=["empty", "no-row", "another-version", "another-type", "no-messagepack"],
)
def test_a_row_that_cannot_be_read_is_none(raw: bytes) -> None:
    assert decode_row(raw, Row) is None


def test_a_file_that_is_no_environment_is_said_to_be_none(home: Path) -> None:
    (home / "serve").mkdir()
    (home / "serve" / "data.mdb").write_bytes(b"letters" * 4096)
    with pytest.raises(StorageError, match="serve"):
        ServeState(home)


def test_opening_and_closing_leaves_nothing_behind(home: Path) -> None:
    ServeState(home).close()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        ServeState(home).close()
    assert len(os.listdir("/proc/self/fd")) == before
