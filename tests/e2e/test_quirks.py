"""Cameras that break one rule each, all recorded by one real recorder at once."""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import secrets
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from box_rig import DEADLINE_S, Box
from quirk_camera import PASSWORD, USER
from quirk_server import QuirkServer
from quirks import catalogue
from quirks.authentication import WrongPassword
from vonggac.media.chunk import Codec, GapReason
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.rtsp.habits import ROWS, Habit
from vonggac.rtsp.url import Credentials
from vonggac_appliance import bus_control
from vonggac_appliance.camera_clip import load_clip
from vonggac_appliance.secrets import ensure_record_key, seal

pytestmark = pytest.mark.slow

REFUSED = {
    "negative-length": GapReason.BAD_STREAM,
    "huge-length": GapReason.BAD_STREAM,
    "wrong-password": GapReason.WRONG_PASSWORD,
}
"""Those that cannot be recorded, and what their gap is called."""
LEARNT = {
    "query-behind-path": ("url_form", "in-path"),
    "other-host": ("url_form", "dialled-host"),
    "latest-session": ("session_rule", "latest"),
    "ignores-get-parameter": ("keepalive", "OPTIONS"),
    "no-keepalive": ("keepalive", "RTCP"),
    "basic-first": ("login", "Digest SHA-256"),
    "sha512": ("login", "Digest SHA-512-256"),
    "basic-only": ("login", "Basic"),
    "book": ("transport", "tcp"),
}


def enrol(home: Path, server: QuirkServer) -> None:
    """A camera for each, with one stream; `camera add` would take as many processes."""
    key = ensure_record_key(home)
    with Catalog(home) as catalog:
        for quirk in server.quirks.values():
            camera = secrets.token_bytes(16)
            streams = [Stream(secrets.token_bytes(16), "main", server.url(quirk))]
            if quirk.name == "wrong-password":
                streams.append(Stream(secrets.token_bytes(16), "sub", server.url(quirk)))
            row = Camera(camera, quirk.name, tuple(streams), 0, owner_kind=OwnerKind.STATE)
            catalog.add_camera(row, seal(key, camera, Credentials(USER, PASSWORD)))


def is_settled(camera: bus_control.CameraStatus) -> bool:
    """Whether it does what it is to do in the end, and has shown its habit."""
    if camera.id in REFUSED:
        return camera.state == "waiting"
    learnt = camera.learnt
    assert learnt is not None
    habit = QUIRKS[camera.id].habit
    name, value = LEARNT.get(camera.id, ("transport", "tcp"))
    recorded_s = min(stream.recorded_ns for stream in camera.streams) / 1e9
    is_seen = habit is None or habit in learnt.habits
    return recorded_s >= 4.0 and is_seen and getattr(learnt, name) == value


QUIRKS = {one.name: one for one in catalogue()}


class Zoo:
    """What came of them."""

    def __init__(self, home: Path) -> None:
        clip = importlib.resources.files("vonggac_appliance") / "demo" / "street-sub.h264"
        shared = load_clip(clip.read_bytes(), Codec.H264, Fraction(25, 2))
        self.server = QuirkServer([one(shared) for one in QUIRKS.values()])
        self.box = Box(home, "1536M")
        # At the usual pace seventy take five seconds, and they start twice.
        (home / "config.toml").write_text("[cameras]\nstarts_per_second = 32\n")
        enrol(self.box.home, self.server)

    def record(self) -> None:
        """Until all have shown what they do."""
        self.box.start("run")
        self.status = self._wait()
        self.shown = self.box.run("camera", "show", "query-behind-path", "--json")
        refused = self.server.quirks["wrong-password"]
        assert isinstance(refused, WrongPassword)
        self.refusals = refused.refusals
        self.words = self.box.run("camera", "show", "wrong-password")
        self.alarms = self.box.run("alarm", "list", "--json")
        self.lines = command_lines()
        stopping_s = time.monotonic()
        assert self.box.stop() == 0, self.box.log.read_text()
        self.stopped_s = time.monotonic() - stopping_s
        self.last = {name: one.visits[-1] for name, one in self.server.quirks.items()}

    def record_again(self) -> None:
        """Another recorder in the same home."""
        quirk = self.server.quirks["query-behind-path"]
        known = len(quirk.visits)
        self.box.start()
        until_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < until_s:
            states = {camera.id: camera.state for camera in self.box.status().cameras}
            learnt, refused = states.get("query-behind-path"), states.get("wrong-password")
            if (learnt, refused) == ("recording", "waiting"):
                break
            time.sleep(0.2)  # as above
        assert self.box.stop() == 0, self.box.log.read_text()
        self.over_ns = time.time_ns()
        self.first_again = quirk.visits[known]

    def _wait(self) -> dict[str, bus_control.CameraStatus]:
        until_s = time.monotonic() + 2.5 * DEADLINE_S  # before a refused login is said again
        while True:
            now = {camera.id: camera for camera in self.box.status().cameras}
            is_late = any(not is_settled(one) for one in now.values())
            silent = self.server.quirks["no-keepalive"].visits
            is_late |= not silent or not silent[-1].reports
            if not is_late or time.monotonic() > until_s:
                return now
            time.sleep(0.5)  # fifty cameras' events would be more work than a look


def command_lines() -> list[bytes]:
    """Of every process of this machine that may be looked at."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # gone meanwhile
            lines.append(path.read_bytes())
    return lines


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zoo]:
    zoo = Zoo(tmp_path_factory.mktemp("zoo") / "home")
    try:
        zoo.record()
        zoo.record_again()
        yield zoo
    finally:
        zoo.server.stop()
        zoo.box.discard()


@pytest.mark.parametrize("name", [name for name in QUIRKS if name not in REFUSED])
def test_a_camera_that_breaks_one_rule_is_recorded(zoo: Zoo, name: str) -> None:
    camera, quirk = zoo.status[name], zoo.server.quirks[name]
    assert camera.learnt is not None
    assert is_settled(camera), (camera, quirk.complaints)
    assert quirk.complaints == []
    if quirk.habit is not None:
        assert ROWS[Habit(quirk.habit)] == quirk.row


@pytest.mark.parametrize("name", REFUSED)
def test_a_camera_that_cannot_be_recorded_says_why(zoo: Zoo, name: str) -> None:
    assert (zoo.status[name].state, zoo.status[name].gap_reason) == ("waiting", REFUSED[name].words)


def test_a_camera_by_the_book_shows_no_habit(zoo: Zoo) -> None:
    learnt = zoo.status["book"].learnt
    assert learnt is not None
    assert learnt.habits == {}


def test_two_streams_refuse_a_password_no_more_than_twice_together(zoo: Zoo) -> None:
    learnt = zoo.status["wrong-password"].learnt
    assert learnt is not None
    assert zoo.refusals == 2
    assert learnt.refused_until_ns > 0
    assert "login refused; next try" in zoo.words
    alarms = {(one["kind"], one["subject"]) for one in json.loads(zoo.alarms)["alarms"]}
    assert ("wrong-password", "wrong-password") in alarms


def test_a_control_of_another_host_is_never_dialled(zoo: Zoo) -> None:
    assert zoo.server.strangers == 0
    visit = zoo.server.quirks["other-host"].visits[0]
    assert any("127.0.0.9" in asked.uri for asked in visit.asked)


def test_no_keepalive_is_sent_to_a_camera_that_takes_it_for_junk(zoo: Zoo) -> None:
    last = zoo.last["no-keepalive"]
    assert "GET_PARAMETER" not in [asked.method for asked in last.asked]
    assert last.reports > 0


def test_a_camera_that_answers_no_teardown_holds_up_no_stop(zoo: Zoo) -> None:
    asked = [one.method for one in zoo.last["no-teardown"].asked]
    assert asked[-1] == "TEARDOWN"
    assert zoo.stopped_s < DEADLINE_S


def test_what_was_learnt_is_shown_and_outlives_the_recorder(zoo: Zoo) -> None:
    shown = json.loads(zoo.shown)
    assert shown["learnt"]["url_form"] == "in-path"
    assert [(one["name"], one["row"]) for one in shown["habits"]] == [("control-join", 41)]
    again = json.loads(zoo.box.run("camera", "show", "query-behind-path", "--json"))
    assert (again["state"], again["learnt"]) == ("stopped", shown["learnt"])
    zoo.box.run("camera", "forget-learnt", "query-behind-path")
    bare = json.loads(zoo.box.run("camera", "show", "query-behind-path", "--json"))
    assert set(bare["learnt"].values()) == {None}


def test_the_next_recorder_begins_with_what_was_learnt(zoo: Zoo) -> None:
    setups = [asked.uri for asked in zoo.first_again.asked if asked.method == "SETUP"]
    assert [uri.partition("query-behind-path")[2] for uri in setups] == [
        "/track1?channel=1&subtype=0"
    ]


def test_the_next_recorder_does_not_say_a_refused_login_again(zoo: Zoo) -> None:
    quirk, learnt = zoo.server.quirks["wrong-password"], zoo.status["wrong-password"].learnt
    assert isinstance(quirk, WrongPassword) and learnt is not None
    assert quirk.refusals == 2 or zoo.over_ns > learnt.refused_until_ns


def test_the_password_stands_in_no_log_argument_file_or_status(zoo: Zoo) -> None:
    spoken = [PASSWORD.encode(), PASSWORD.replace("#", "%23").replace(":", "%3A").encode()]
    texts = [*zoo.lines, zoo.box.log.read_bytes(), repr(zoo.status).encode(), zoo.shown.encode()]
    texts += [zoo.alarms.encode(), zoo.words.encode()]
    for path in zoo.box.home.rglob("*"):
        if path.is_file() and path != zoo.box.login and zoo.box.disk not in path.parents:
            texts.append(path.read_bytes())
    assert not [text for text in texts for word in spoken if word in text]
