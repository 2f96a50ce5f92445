"""Another device at a camera's address: told no login where a household's is, and kept in mind."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from certificates import make_certificate
from dialled_camera import Named, Serving, clip, serving
from quirk_camera import Visit
from tls_relay import TlsRelay
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, OwnerKind
from vonggac.registry.rules import may_record
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.device import Device
from vonggac.rtsp.leftover import Held
from vonggac_appliance import learnt_store
from vonggac_appliance.camera_clip import Clip
from vonggac_appliance.camera_identity import Identity, judged
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.learnt_store import LearntStore

OWN, FOREIGN = "Login to 4K01FD2PAJ6E3FF", "Login to 4K01FD2PAJ6E400"


@pytest.fixture(scope="module")
def street() -> Clip:
    return clip()


@pytest.fixture
def camera(street: Clip) -> Iterator[Serving]:
    with serving(Named(street, OWN)) as it:
        yield it


def known(camera: Serving, *, pauses: bool) -> Memory:
    """Of a camera that was recorded once."""
    memory = Memory()
    memory.identity.pauses = pauses
    assert camera.call(memory) is None
    camera.until_left()
    assert memory.identity.known.serial == "serial:4K01FD2PAJ6E3FF"
    return memory


def test_a_neighbours_device_is_told_no_login_and_a_household_waits(camera: Serving) -> None:
    memory = known(camera, pauses=True)
    camera.quirk.calls_itself(FOREIGN)
    logins = camera.quirk.logins
    failure = camera.call(memory)
    assert isinstance(failure, SessionFailed)
    assert failure.reason is GapReason.OTHER_DEVICE
    assert "4K01FD2PAJ6E400" in failure.what
    assert "confirm-device" in failure.what
    assert camera.quirk.logins == logins
    assert memory.identity.is_held
    assert memory.identity.news() == failure.what
    assert memory.identity.news() == ""
    # Its own camera's return is no person's word.
    camera.quirk.calls_itself(OWN)
    assert memory.identity.is_held


def test_the_states_camera_is_recorded_on_and_the_alarm_is_raised_once(camera: Serving) -> None:
    memory = known(camera, pauses=False)
    camera.quirk.calls_itself(FOREIGN)
    assert camera.call(memory) is None
    assert "4K01FD2PAJ6E400" in memory.identity.news()
    assert camera.call(memory) is None
    assert memory.identity.news() == ""
    assert memory.identity.known.serial == "serial:4K01FD2PAJ6E3FF"
    camera.quirk.calls_itself(OWN)
    assert camera.call(memory) is None
    assert memory.identity.other is None


class Forgetful(Named):
    """Calls itself otherwise at every connection."""

    def visited(self, writer: asyncio.StreamWriter) -> Visit:
        self.calls_itself(f"Login to {secrets.token_hex(16)}")
        return super().visited(writer)


def test_a_realm_that_changes_with_every_connection_is_no_serial_number(street: Clip) -> None:
    memory = Memory()
    memory.identity.pauses = True
    with serving(Forgetful(street, OWN)) as it:
        for _ in range(3):
            assert it.call(memory) is None
    assert memory.identity.varying == {"serial"}
    assert memory.identity.other is None


class Shared(Named):
    """One address and two devices: whose turn it is, answers."""

    def __init__(self, clip: Clip) -> None:
        super().__init__(clip, OWN)
        self.turns: list[str] = []

    def visited(self, writer: asyncio.StreamWriter) -> Visit:
        self.calls_itself(self.turns.pop(0) if self.turns else OWN)
        return super().visited(writer)


def test_two_devices_at_one_address_are_no_serial_number_that_changes(street: Clip) -> None:
    """Or the neighbour's would never be noticed again."""
    camera = Shared(street)
    memory = Memory()
    memory.identity.pauses = True
    with serving(camera) as it:
        assert it.call(memory) is None
        it.until_left()
        logins, camera.turns = camera.logins, [FOREIGN, OWN]
        failure = it.call(memory)
    assert failure is not None and failure.reason is GapReason.OTHER_DEVICE
    assert "4K01FD2PAJ6E400" in failure.what
    assert memory.identity.is_held and not memory.identity.varying
    assert camera.logins == logins


def test_another_model_without_a_serial_number_is_known_by_its_words(street: Clip) -> None:
    memory = Memory()
    memory.identity.pauses = True
    with serving(Named(street, "LIVE555 Streaming Media")) as it:
        it.quirk.server = "Rtsp Server/2.0"
        assert it.call(memory) is None
        it.quirk.server = "Rtsp Server/3.1"  # an update
        it.quirk.calls_itself("Streaming")
        assert it.call(memory) is None
        it.quirk.server = "Hipcam RealServer/V1.0"
        it.quirk.calls_itself("IPCAM")
        it.quirk.title = "Live"
        failure = it.call(memory)
    assert failure is not None
    assert failure.reason is GapReason.OTHER_DEVICE


# -- A person's word --


def test_a_confirmed_device_is_the_camera_from_then_on(camera: Serving) -> None:
    memory = known(camera, pauses=True)
    camera.quirk.calls_itself(FOREIGN)
    assert camera.call(memory) is not None
    assert memory.confirms(is_known_back=False)
    assert not memory.confirms(is_known_back=False)
    assert camera.call(memory) is None
    camera.quirk.calls_itself(OWN)
    assert camera.call(memory) is not None


def test_where_the_known_one_is_back_the_other_one_stays_another(camera: Serving) -> None:
    memory = known(camera, pauses=True)
    camera.quirk.calls_itself(FOREIGN)
    assert camera.call(memory) is not None
    assert memory.confirms(is_known_back=True)
    assert camera.call(memory) is not None
    assert memory.confirms(is_known_back=True)
    camera.quirk.calls_itself(OWN)
    assert camera.call(memory) is None


def test_a_restart_between_the_change_and_the_word_keeps_the_pause(
    camera: Serving, home: Path
) -> None:
    key = b"c" * 16
    store = LearntStore(home)
    memory = store.of(key)
    memory.identity.pauses = True
    assert camera.call(memory) is None
    camera.quirk.calls_itself(FOREIGN)
    assert camera.call(memory) is not None
    store.close()

    again = LearntStore(home)
    kept = again.of(key).identity
    again.close()
    assert kept.other == memory.identity.other
    assert kept.known == memory.identity.known
    assert learnt_store.confirm_stopped(home, key, is_known_back=False)
    assert not learnt_store.confirm_stopped(home, key, is_known_back=False)
    last = LearntStore(home)
    assert last.of(key).identity.other is None
    assert last.of(key).identity.known.serial == "serial:4K01FD2PAJ6E400"
    last.close()


def test_what_a_stranger_asks_for_is_not_what_the_camera_does(camera: Serving) -> None:
    memory = known(camera, pauses=True)
    memory.learnt = replace(memory.learnt, scheme=Scheme.BASIC)
    camera.quirk.calls_itself(FOREIGN)
    assert camera.call(memory) is not None
    assert memory.floor is Scheme.BASIC


def test_a_household_is_held_and_no_other_owner() -> None:
    other = Identity(known=Device("mac:1"))
    other.met(Device("mac:2"), Device("mac:2"))
    for kind in OwnerKind:
        row = Camera(b"c" * 16, "cam1", (), 0, owner_kind=kind)
        answer = judged(may_record(row, 1), row, other)
        if kind is OwnerKind.HOUSEHOLD:
            assert not answer.is_allowed  # it has no agreement, and says that first
            assert "agreement" in answer.sentence
            allowed = judged(replace(answer, is_allowed=True), row, other)
            assert (allowed.is_allowed, allowed.gap) == (False, GapReason.OTHER_DEVICE)
        else:
            assert answer == may_record(row, 1)


# -- Over TLS --


def test_another_certificate_holds_a_household_until_it_is_confirmed(
    camera: Serving, tmp_path: Path
) -> None:
    first, second = (make_certificate(tmp_path / name) for name in ("first", "second"))
    memory = Memory()
    memory.identity.pauses = True
    with TlsRelay(*first, camera.server.port) as relay:
        url = f"rtsps://127.0.0.1:{relay.port}/camera"
        assert camera.call(memory, url=url) is None
        port = relay.port
    with TlsRelay(*second, camera.server.port, port) as relay:
        failure = camera.call(memory, url=url)
        assert failure is not None
        assert failure.reason is GapReason.OTHER_DEVICE
        assert relay.heard == b""
        assert memory.identity.is_held
        assert memory.confirms(is_known_back=False)
        assert camera.call(memory, url=url) is None


# -- Redirects to another port --


@pytest.mark.parametrize(("realm", "is_told"), [(OWN, True), (FOREIGN, False), ("IPCAM", False)])
def test_another_port_of_the_host_is_told_the_login_only_by_its_serial_number(
    camera: Serving, street: Clip, realm: str, is_told: bool
) -> None:
    """Behind a router that forwards ports another one is another household's camera."""
    with serving(Named(street, realm)) as there:
        camera.quirk.moves_to = there.url
        failure = camera.call(Memory())
        assert (there.quirk.logins > 0) is is_told
    if is_told:
        assert failure is None
    else:
        assert failure is not None
        assert failure.reason is GapReason.REFUSED
        assert f"port {there.server.port}" in failure.what
        assert not failure.is_refused


def test_a_session_that_was_left_is_not_given_back_to_a_stranger(camera: Serving) -> None:
    memory = known(camera, pauses=True)
    memory.leftover.append(Held(camera.url, camera.url, "12345678"))
    camera.quirk.calls_itself(FOREIGN)
    logins = camera.quirk.logins
    assert camera.call(memory) is not None
    assert camera.quirk.logins == logins
    assert [one.session for one in memory.leftover] == ["12345678"]


def test_to_forget_what_was_learnt_is_no_word_about_a_households_device(
    camera: Serving, home: Path
) -> None:
    key = b"c" * 16
    store = LearntStore(home)
    memory = store.of(key)
    memory.identity.pauses = True
    assert camera.call(memory) is None
    camera.quirk.calls_itself(FOREIGN)
    assert camera.call(memory) is not None
    store.forget(key)
    assert store.of(key).identity.is_held
    assert store.of(key).floor is Scheme.BASIC
    store.close()
    learnt_store.forget_stopped(home, key, keeps_other=True)
    again = LearntStore(home)
    assert again.of(key).identity.other == memory.identity.other
    again.close()
    learnt_store.forget_stopped(home, key)  # as of the State's
    assert learnt_store.read_stopped(home) == {}
