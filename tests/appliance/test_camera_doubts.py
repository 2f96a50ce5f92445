"""Devices that lie about who they are, or ask for the password itself: what is said to them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialled_camera import Named, Serving, clip, serving
from quirk_camera import Asked, Reply, Visit
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.device import Device, shares_nothing
from vonggac_appliance.camera_clip import Clip
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.camera_news import CameraNews
from vonggac_appliance.learnt_store import LearntStore

OWN = "Login to 4K01FD2PAJ6E3FF"
CAMERA = Camera(b"c" * 16, "cam1", (), 0)


class Inventive(Named):
    """Tells its own serial number, and once it is told to another one at each connection."""

    def __init__(self, clip: Clip) -> None:
        super().__init__(clip, OWN)
        self.invents = False

    def visited(self, writer: asyncio.StreamWriter) -> Visit:
        if self.invents:
            self.calls_itself(f"Login to {secrets.token_hex(8).upper()}0")
        return super().visited(writer)


class Plain(Named):
    """Takes the password itself and nothing else."""

    def calls_itself(self, realm: str) -> None:
        self.challenges = (f'Basic realm="{realm}"',)


@pytest.fixture(scope="module")
def street() -> Clip:
    return clip()


@pytest.fixture
def inventive(street: Clip) -> Iterator[Serving]:
    with serving(Inventive(street)) as it:
        yield it


def known(camera: Serving, *, pauses: bool) -> Memory:
    """Of a camera that was recorded as a recorder does, once."""
    memory = Memory()
    memory.identity.pauses = pauses
    memory.identity.asks_newcomers = True
    assert camera.call(memory) is None
    camera.until_left()
    return memory


def invents(camera: Serving) -> int:
    """From now on; gives how often the login was said before."""
    assert isinstance(camera.quirk, Inventive)
    camera.quirk.invents = True
    return camera.quirk.logins


# -- Serial numbers that are invented --


def test_who_invents_a_serial_number_each_time_is_another_device(inventive: Serving) -> None:
    memory = known(inventive, pauses=True)
    assert memory.identity.is_settled
    logins = invents(inventive)
    for _ in range(3):
        failure = inventive.call(memory)
        assert failure is not None and failure.reason is GapReason.OTHER_DEVICE
        assert "another serial number at each connection" in failure.what
        assert memory.identity.is_held and not memory.identity.varying
    assert inventive.quirk.logins == logins


def test_the_states_camera_is_told_of_once_however_many_numbers_are_invented(
    inventive: Serving,
) -> None:
    memory = known(inventive, pauses=False)
    invents(inventive)
    news = []
    for _ in range(3):
        assert inventive.call(memory) is None  # Digest: the password stays unsaid
        news.append(bool(memory.identity.news()))
    assert news == [True, False, False]
    assert memory.identity.known.serial == "serial:4K01FD2PAJ6E3FF"


def test_a_person_may_say_that_the_number_is_made_by_chance(inventive: Serving, home: Path) -> None:
    store = LearntStore(home)
    memory = store.of(CAMERA.id)
    memory.identity = known(inventive, pauses=True).identity
    invents(inventive)
    assert inventive.call(memory) is not None
    store.close()
    again = LearntStore(home)  # the recorder was started anew between
    memory = again.of(CAMERA.id)
    memory.identity.pauses = True
    assert memory.identity.is_settled
    assert memory.confirms(is_known_back=False)
    for _ in range(2):
        assert inventive.call(memory) is None
    assert memory.identity.varying == {"serial"}
    again.close()


def test_a_number_made_by_chance_is_known_from_the_first_day(inventive: Serving) -> None:
    invents(inventive)
    memory = known(inventive, pauses=True)
    assert memory.identity.varying == {"serial"}
    for _ in range(2):
        assert inventive.call(memory) is None
    assert memory.identity.other is None


def test_who_is_met_first_is_asked_twice_and_never_again(inventive: Serving) -> None:
    memory = known(inventive, pauses=True)
    visits = len(inventive.quirk.visits)
    assert visits == 3
    assert inventive.call(memory) is None
    assert len(inventive.quirk.visits) == visits + 1


# -- The password itself --


@pytest.mark.parametrize("realm", [OWN, "Hipcam RealServer"], ids=["serial", "word"])
def test_the_password_itself_is_not_said_to_another_device(street: Clip, realm: str) -> None:
    memory = Memory()
    with serving(Plain(street, "Rtsp Server")) as it:
        it.quirk.calls_itself("Login to 4K01FD2PAJ6E400" if realm == OWN else "Rtsp Server")
        for _ in range(2):
            assert it.call(memory) is None
            it.until_left()
        assert memory.learnt.scheme is Scheme.BASIC
        it.quirk.calls_itself(realm)
        logins = it.quirk.logins
        for _ in range(2):
            failure = it.call(memory)
            assert failure is not None and failure.reason is GapReason.OTHER_DEVICE
            assert "not said in the clear" in failure.what
        assert it.quirk.logins == logins
        assert memory.identity.news()
        assert memory.confirms(is_known_back=False)
        assert it.call(memory) is None


def test_the_password_is_said_to_who_tells_one_thing_as_before(street: Clip) -> None:
    """An update of the firmware renames its server."""
    memory = Memory()
    with serving(Plain(street, "Rtsp Server")) as it:
        it.quirk.server = "Dss/6.0"
        assert it.call(memory) is None
        it.quirk.server = "UPnP"
        assert it.call(memory) is None
        assert memory.identity.known.product == "UPnP"


class TwoServers(Plain):
    """Has no realm, and names another server behind the login."""

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        self.server = "Media" if "authorization" in asked.headers else "Front"
        return super().spoil(asked, reply, visit)


def test_who_names_another_server_behind_the_login_is_the_camera_the_next_day(street: Clip) -> None:
    memory = Memory()
    with serving(TwoServers(street, "")) as it:
        for _ in range(2):
            assert it.call(memory) is None
        assert memory.identity.known == Device(product="Front", name="camera")


def test_words_that_only_one_of_them_tells_show_nothing() -> None:
    assert not shares_nothing(Device(realm="a"), Device(product="b"))
    assert shares_nothing(Device(realm="a"), Device(realm="b"))
    assert not shares_nothing(Device("mac:1", realm="a"), Device("hash:2", realm="a"))
    assert not shares_nothing(Device("mac:1"), Device("hash:2"))
    assert not shares_nothing(Device(realm="a"), Device(realm="b"), {"realm"})


def test_a_downgrade_is_an_alarm_and_nothing_is_said_until_a_person_forgets(
    street: Clip, home: Path
) -> None:
    raised: list[str] = []
    news = CameraNews(lambda kind, subject, what: raised.append(f"{kind} {subject}"))
    store = LearntStore(home)
    with serving(Named(street, "camera")) as it:
        assert it.call(store.of(CAMERA.id)) is None
        it.until_left()
        it.quirk.challenges = ('Basic realm="camera"',)
        logins = it.quirk.logins
        for _ in range(3):
            failure = it.call(store.of(CAMERA.id))
            assert isinstance(failure, SessionFailed)
            assert failure.is_weaker
            news.failed(CAMERA, store.of(CAMERA.id), failure)
        assert it.quirk.logins == logins
        assert raised == ["weaker-login cam1"]
        store.forget(CAMERA.id)
        assert it.call(store.of(CAMERA.id)) is None
    store.close()
