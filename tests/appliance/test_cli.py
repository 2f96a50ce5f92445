"""The command line as a person meets it: what it prints, how it ends, what it never shows."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit_rig import audit_run, chain_of, vonggac
from vonggac.registry.camera import Mode, OwnerKind
from vonggac.registry.catalog import Catalog
from vonggac.registry.rules import may_record_sound
from vonggac_appliance import secrets

PASSWORD = "Mat-khau#91/bi:mat@x"
URL = "rtsp://127.0.0.1:8554/main"


def add(home: Path, *words: str) -> int:
    return vonggac(home, "camera", "add", "cam1", "--url", URL, *words)


def test_formatting_enrols_the_disk_with_this_box(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = ("--size", "160M", "--segment-size", "16M")
    assert vonggac(home, "disk", "format", str(tmp_path / "d"), *size, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    with Catalog(home, is_readonly=True) as catalog:
        (row,) = catalog.disks()
        box_id = catalog.box_id
    assert (row.path, row.uuid.hex(), row.segments) == (
        facts["path"],
        facts["uuid"],
        facts["segments"],
    )
    identity = json.loads((tmp_path / "d" / "vonggac-disk.json").read_text())
    assert identity["box"] == box_id.hex()


def test_a_disk_that_cannot_be_formatted_is_not_enrolled(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letters.txt").touch()
    assert vonggac(home, "disk", "format", str(tmp_path / "full"), "--size", "400M") == 78
    assert "not empty" in capsys.readouterr().err
    with Catalog(home, is_readonly=True) as catalog:
        assert catalog.disks() == []


@pytest.mark.parametrize("size", ["12X", "", "-5G", "1.5G"])
def test_a_size_that_is_none_is_wrong_usage(home: Path, tmp_path: Path, size: str) -> None:
    assert vonggac(home, "disk", "format", str(tmp_path / "d"), f"--size={size}") == 2
    assert not (tmp_path / "d").exists()


def test_an_added_camera_stands_in_the_catalog(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--sub-url", "rtsp://127.0.0.1:8554/sub", "--owner-kind", "state", "--json")
    assert add(home, *words, "--point", "ngã ba", "--area", "tổ 3", "--uplink", "direct") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["id"], facts["may_record"], facts["red"]) == ("cam1", True, False)
    with Catalog(home, is_readonly=True) as catalog:
        camera = catalog.camera("cam1")
    assert camera is not None
    assert [(s.name, s.url) for s in camera.streams] == [
        ("main", URL),
        ("sub", "rtsp://127.0.0.1:8554/sub"),
    ]
    assert (camera.point, camera.area, camera.owner_kind) == ("ngã ba", "tổ 3", OwnerKind.STATE)
    assert camera.admin_state_by == f"local:{os.getuid()}"


def test_an_id_is_taken_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(home) == 0
    assert add(home) == 1
    assert "cam1 exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(["a b", "--url", URL], 2, "no camera id", id="id"),
        pytest.param(["c", "--url", "http://x"], 2, "rtsp://", id="scheme"),
        pytest.param(["c", "--url", "camera"], 2, "rtsp://", id="no-address"),
        pytest.param(["c", "--url", "rtsp://"], 2, "names no host", id="no-host"),
        pytest.param(["c", "--url", "rtsp://a..b/"], 2, "host name", id="empty-label"),
        pytest.param(["c", "--url", f"rtsp://{'a' * 64}.vn/"], 2, "host name", id="long-label"),
        pytest.param(["c", "--url", "rtsp://h:99999/"], 2, "port", id="port"),
        pytest.param(["c", "--url", "rtsp://8.8.8.8/"], 1, "camera networks", id="network"),
        pytest.param(["c", "--url", URL, "--transport", "quic"], 2, "quic", id="quic"),
        pytest.param(["c", "--url", URL, "--basis-until", "now"], 2, "--basis-mode", id="basis"),
        pytest.param(
            ["c", "--url", URL, "--basis-mode", "C", "--basis-until", "-1d"], 2, "ends", id="ended"
        ),
        pytest.param(
            ["c", "--url", URL, "--basis-mode", "C", "--basis-from", "soon"], 2, "time", id="time"
        ),
        pytest.param(["c", "--url", URL, "--credentials-file", "/none"], 2, "/none", id="file"),
        pytest.param(["c"], 2, "--url", id="no-url"),
    ],
)
def test_a_camera_that_cannot_be_is_refused_in_one_sentence(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, says: str
) -> None:
    assert vonggac(home, "camera", "add", *words) == code
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err
    assert not (home / "catalog").exists()


def test_a_household_camera_is_added_but_told_to_need_an_agreement(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(home, "--owner-kind", "household") == 0
    told = capsys.readouterr()
    assert "NOT recorded" in told.out
    assert "--basis-mode" in told.err
    basis = ("--basis-mode", "C", "--basis-until", "2099-01-01", "--basis-document", "12/TT")
    words = ("--owner-kind", "household", *basis, "--basis-retention-days", "7")
    assert vonggac(home, "camera", "add", "cam2", "--url", URL, *words) == 0
    assert "will be recorded" in capsys.readouterr().out
    with Catalog(home, is_readonly=True) as catalog:
        camera = catalog.camera("cam2")
    assert camera is not None
    assert camera.basis is not None
    assert (camera.basis.mode, camera.basis.document) == (Mode.RECORDED, "12/TT")
    assert camera.basis.retention_cap_days == 7
    assert not camera.basis.audio


def test_sound_is_recorded_where_the_agreement_says_so_and_never_of_the_state(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    basis = ("--basis-mode", "C", "--basis-audio")
    assert add(home, "--owner-kind", "household", *basis) == 0
    with Catalog(home, is_readonly=True) as catalog:
        camera = catalog.camera("cam1")
    assert camera is not None
    assert may_record_sound(camera)
    for words in (("--owner-kind", "state", *basis), ("--basis-audio",)):
        assert vonggac(home, "camera", "add", "cam2", "--url", URL, *words) == 2
    assert "State-owned" in capsys.readouterr().err


def test_programs_of_others_need_an_agreement_that_allows_live(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(home, "--owner-kind", "household", "--basis-mode", "D", "--basis-hooks") == 0
    with Catalog(home, is_readonly=True) as catalog:
        camera = catalog.camera("cam1")
    assert camera is not None and camera.basis is not None and camera.basis.hooks
    for words in (("--basis-mode", "C", "--basis-hooks"), ("--basis-hooks",)):
        assert vonggac(home, "camera", "add", "cam2", "--url", URL, *words) == 2
    assert "--basis-hooks needs --basis-mode D" in capsys.readouterr().err


def encoded(password: str) -> str:
    return password.replace("#", "%23").replace("/", "%2F").replace("@", "%40")


@pytest.mark.parametrize("way", ["file", "stdin", "url"])
def test_a_password_reaches_the_recorder_and_nobody_else(
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    login = tmp_path / "login"
    login.write_text(f"quanly:{PASSWORD}\n")
    if way == "file":
        assert add(home, "--credentials-file", str(login), "--json") == 0
    elif way == "stdin":
        monkeypatch.setattr("sys.stdin", io.StringIO(f"quanly\n{PASSWORD}\n"))
        assert add(home, "--credentials-file", "-", "--json") == 0
    else:
        url = f"rtsp://quanly:{encoded(PASSWORD)}@127.0.0.1:8554/main"
        assert vonggac(home, "camera", "add", "cam1", "--url", url, "--json") == 0
    for words in (
        ["camera", "list"],
        ["camera", "list", "--json"],
        ["doctor"],
        ["doctor", "--json"],
    ):
        vonggac(home, *words)
    shown = capsys.readouterr()
    for text in (shown.out, shown.err):
        assert PASSWORD not in text
        assert encoded(PASSWORD) not in text
        assert "quanly" not in text
    for path in home.rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes(), path
            assert encoded(PASSWORD).encode() not in path.read_bytes(), path
    with Catalog(home, is_readonly=True) as catalog:
        camera = catalog.camera("cam1")
        assert camera is not None
        assert camera.streams[0].url == URL
        sealed = catalog.sealed_credentials(camera.id)
    assert sealed is not None
    opened = secrets.open_sealed(secrets.record_private_key(home), camera.id, sealed)
    assert (opened.user, opened.password) == ("quanly", PASSWORD)


def test_a_copy_of_the_catalog_opens_no_password(home: Path, tmp_path: Path) -> None:
    login = tmp_path / "login"
    login.write_text(f"quanly:{PASSWORD}\n")
    add(home, "--credentials-file", str(login))
    with Catalog(home, is_readonly=True) as catalog:
        (camera,) = catalog.cameras()
        sealed = catalog.sealed_credentials(camera.id)
    assert sealed is not None
    with pytest.raises(secrets.ConfigError):
        secrets.open_sealed(X25519PrivateKey.generate(), camera.id, sealed)


@pytest.mark.parametrize(
    "words",
    [
        ["camera", "add", "c", f"rtsp://u:{PASSWORD}@127.0.0.1/"],
        ["camera", "add", "c", "--url", URL, f"rtsp://u:it's \"{PASSWORD}@127.0.0.1/"],
        ["camera", "add", "c", "--url", f"rtsp://u:{PASSWORD}@127.0.0.1:x/"],
        ["camera", "add", "c", "--url", f"http://u:{PASSWORD}@127.0.0.1/"],
        ["camera", "add", "c", "--url", f"rtsp://127.0.0.1/user=u&password={PASSWORD}"],
        ["camera", "add", "c", "--url", f"rtsp://127.0.0.1/?loginuse=u&loginpas={PASSWORD}"],
        ["camera", "add", "c", "--url", f"rtsp://u:12345/{PASSWORD}@127.0.0.1/main"],
        ["camera", "add", "c", "--url", URL, "--credentials-file", f"u:{PASSWORD}"],
        ["camera", "add", "c", "--url", f"rtsp://u:{PASSWORD}@8.8.8.8/"],
    ],
    ids=[
        "no-option",
        "no-option-quote",
        "port",
        "scheme",
        "in-path",
        "in-query",
        "digits-and-slash",
        "login-for-file",
        "network",
    ],
)
def test_a_refused_address_is_not_repeated_with_its_password(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert vonggac(home, *words) in (1, 2)
    shown = capsys.readouterr()
    assert PASSWORD not in shown.out + shown.err
    assert not (home / "catalog").exists()


@pytest.mark.parametrize("way", ["stdin", "url"])
def test_a_login_that_is_no_text_is_refused_in_one_sentence(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    if way == "stdin":
        monkeypatch.setattr("sys.stdin", io.StringIO("u:\udcff\n"))
        status = add(home, "--credentials-file", "-")
    else:
        status = vonggac(home, "camera", "add", "c", "--url", "rtsp://u:\udcff@127.0.0.1/")
    assert status == 78
    assert "no UTF-8 text" in capsys.readouterr().err
    with Catalog(home, is_readonly=True) as catalog:
        assert catalog.cameras() == []


def test_two_logins_for_one_camera_are_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    login = tmp_path / "login"
    login.write_text("c:d")
    assert add(home, "--sub-url", "rtsp://a:b@127.0.0.1/s", "--credentials-file", str(login)) == 2
    assert "share one login" in capsys.readouterr().err


def test_camera_list_says_stopped_while_the_recorder_is_down(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(home, "--sub-url", URL)
    capsys.readouterr()
    assert vonggac(home, "camera", "list", "--json") == 0
    (camera,) = json.loads(capsys.readouterr().out)["cameras"]
    assert (camera["id"], camera["state"], camera["gap_reason"]) == ("cam1", "stopped", None)
    assert [stream["name"] for stream in camera["streams"]] == ["main", "sub"]
    assert camera["streams"][0]["codec"] is camera["streams"][0]["width"] is None
    assert vonggac(home, "camera", "list") == 0
    told = capsys.readouterr()
    assert "stopped" in told.out
    assert "not running" in told.err


def test_removing_a_camera_takes_it_out_of_the_list(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(home)
    assert vonggac(home, "camera", "remove", "cam1") == 0
    assert vonggac(home, "camera", "remove", "cam1") == 1
    capsys.readouterr()
    vonggac(home, "camera", "list", "--json")
    assert json.loads(capsys.readouterr().out) == {"cameras": []}


def test_an_act_stands_in_the_chain_while_audit_runs(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with audit_run(home):
        add(home)
    add_line = chain_of(home)[1]
    assert (add_line["action"], add_line["object"]) == ("camera add", "cam1")
    assert "audit run" not in capsys.readouterr().err
    vonggac(home, "camera", "remove", "cam1")
    assert "does not stand in the audit chain" in capsys.readouterr().err


def test_verify_prints_what_the_contract_says(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with audit_run(home):
        add(home)
        vonggac(home, "camera", "remove", "cam1")
    capsys.readouterr()
    assert vonggac(home, "audit", "verify", "--json") == 0
    checkpoint = capsys.readouterr().out
    facts = json.loads(checkpoint)
    assert (facts["ok"], facts["entries"], facts["problems"]) == (True, 3, [])
    assert facts["head"] == (home / "audit" / "head").read_text().strip()
    (tmp_path / "checkpoint.json").write_text(checkpoint)
    log = home / "audit" / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"camera add", b"camera bdd"))
    assert vonggac(home, "audit", "verify", "--json") == 1
    facts = json.loads(capsys.readouterr().out)
    assert facts["ok"] is False
    assert facts["problems"][0]["line"] == 2
    with_point = ("audit", "verify", "--checkpoint", str(tmp_path / "checkpoint.json"))
    assert vonggac(home, *with_point) == 1
    assert capsys.readouterr().out.startswith("line 2 ")


def test_a_wrong_configuration_ends_with_78(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config.toml").write_text("[cameras]\nstall = 5\n")
    assert add(home) == 78
    err = capsys.readouterr().err
    assert f"{home / 'config.toml'}, line 2" in err
    assert vonggac(home, "doctor") == 1


def test_what_the_file_system_refuses_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").write_text("no folder")
    for words in (["disk", "list"], ["record"], ["audit", "run"], ["audit", "verify"]):
        assert vonggac(tmp_path / "home", *words) in (1, 78), words
        err = capsys.readouterr().err
        assert "home" in err and "Traceback" not in err, words


def test_a_home_without_catalog_ends_with_78(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vonggac(home, "camera", "list") == 78
    assert "no catalog" in capsys.readouterr().err


def in_a_process(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """For commands that set up logging and signals of their own."""
    command = [sys.executable, "-m", "vonggac_appliance", "--home", str(home), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_recorder_without_catalog_ends_with_78(home: Path) -> None:
    told = in_a_process(home, "record")
    assert told.returncode == 78
    assert "no catalog" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_second_writer_of_the_chain_ends_with_1(home: Path) -> None:
    with audit_run(home):
        told = in_a_process(home, "audit", "run")
    assert told.returncode == 1
    assert "another `vonggac audit run`" in told.stderr


def test_doctor_finds_what_is_wrong(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vonggac(home, "disk", "format", str(tmp_path / "d"), "--size=160M", "--segment-size=16M")
    login = tmp_path / "login"
    login.write_text("a:b")
    add(home, "--credentials-file", str(login))
    capsys.readouterr()
    assert vonggac(home, "doctor", "--json") == 0
    states = {c["subject"]: c["state"] for c in json.loads(capsys.readouterr().out)["checks"]}
    assert states["configuration"] == states["catalog"] == states["record.key"] == "ok"
    assert states[f"disk {tmp_path / 'd'}"] == "ok"
    assert states["camera cam1"] == states["recorder"] == states["audit"] == "warning"
    assert states["people"] == "warning"
    (home / "keys" / "record.key").chmod(0o644)
    (tmp_path / "d" / "vonggac-disk.json").unlink()
    assert vonggac(home, "doctor") == 1
    told = capsys.readouterr().out
    assert "chmod 600" in told
    assert "no vonggac disk" in told


def test_the_home_comes_from_the_environment_or_the_option(home: Path) -> None:
    environment = {**os.environ, "VONGGAC_HOME": str(home)}
    command = [sys.executable, "-m", "vonggac_appliance"]
    for words in (["camera", "list"], ["camera", "list", "--home", "/nowhere"]):
        told = subprocess.run(
            [*command, *words], env=environment, capture_output=True, text=True, check=False
        )
        assert told.returncode == 78
        assert ("/nowhere" if "--home" in words else str(home)) in told.stderr


def test_a_reader_that_goes_away_is_no_error_message(home: Path) -> None:
    add(home)
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "vonggac_appliance", "--home", str(home), "camera", "list"]
    try:
        told = subprocess.run(
            [*command, "--json"], stdout=write, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(write)
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert "Exception" not in told.stderr


def test_a_command_is_needed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vonggac(home) == 2
    assert vonggac(home, "camera") == 2
    assert "usage: vonggac" in capsys.readouterr().err
