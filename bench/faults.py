"""What can befall a camera or the way to it: the kinds of episode that `episodes.py` plays.

Each is a function that hurts a camera, waits, and returns when the camera would serve whoever
comes. `stretch` multiplies how long it is away; what the protocol fixes (a stall of five seconds)
stays. docs/design/rtsp-interop.md has the rows, docs/design/ingest.md what the recorder does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from faulty_cameras import FaultyCamera

RETURN_S = 5.0
"""Promised: from a camera's return to its first recorded picture."""
STALL_S = 5.0
REPLY_S = 12.0
BUSY_S = 10.0
"""Who is busy is asked again after five seconds, then after ten (src/vonggac/ingest/backoff.py)."""
LOCKED_S = 120.0
"""After a refused login: cameras lock accounts (src/vonggac/ingest/lockout.py)."""

Play = Callable[[FaultyCamera, Random, float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of episode."""

    name: str
    play: Play
    more_s: float = 0.0
    """Beyond the five seconds, where the recorder must not be quicker."""
    is_refusal: bool = False
    """It is there and refuses: it is asked again after as long as it has refused at most."""
    loses_nothing: bool = False
    """No picture may be missing at all."""


async def _rest(chance: Random, least_s: float, most_s: float) -> None:
    await asyncio.sleep(chance.uniform(least_s, most_s))


# --- the connection ends, the camera is there ----------------------------------------------------


async def _reset(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    camera.reset()


async def _closed(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    camera.close()


def _half_packet(camera: FaultyCamera, chance: Random) -> None:
    """An interleaved header that promises more than comes."""
    camera.silence()
    camera.say(b"$\x00\x05\xdc\x80\x60" + chance.randbytes(chance.randrange(1400)))


async def _half_then_closed(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    _half_packet(camera, chance)
    camera.close()


async def _half_then_reset(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    _half_packet(camera, chance)
    await _rest(chance, 0.1, 0.5)
    camera.reset()


async def _bye(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    camera.say_bye()


async def _many_resets(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """A bad plug: whoever plays is cut off again, perhaps before its first key frame, and then the
    tries count as refused ones."""
    for _ in range(5):
        camera.reset()
        await _rest(chance, 0.2, 1.0)


async def _dead_connection(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """It stays open, is answered, and carries no more packets; new ones are served."""
    camera.silence()


# --- the way is gone -----------------------------------------------------------------------------


async def _blip(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """A Wi-Fi that stalls for less than the watchdog's time: TCP brings all of it."""
    await camera.hold()
    await _rest(chance, 0.5, 2.5)
    await camera.release(forgets=False)


async def _wifi_away(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """The camera has lost its connections meanwhile."""
    await camera.hold()
    await _rest(chance, 6.0 * stretch, 15.0 * stretch)
    await camera.release(forgets=True)


async def _wifi_resumes(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """The camera still has them, and what waited in them arrives."""
    await camera.hold()
    await _rest(chance, 6.0 * stretch, 12.0 * stretch)
    await camera.release(forgets=False)


# --- the camera is off ---------------------------------------------------------------------------


async def _off(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """A power cycle; its port is closed."""
    camera.shut()
    camera.reset()
    await _rest(chance, 2.0 * stretch, 15.0 * stretch)
    camera.reboot()
    await camera.open()


async def _long_off(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """Long enough for the longest wait of all."""
    camera.shut()
    camera.reset()
    await _rest(chance, 40.0 * stretch, 60.0 * stretch)
    camera.reboot()
    await camera.open()


async def _other_stream(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """A power cycle, and then pictures of another size."""
    camera.is_second = not camera.is_second
    await _off(camera, chance, stretch / 2)


async def _cut_in_gop(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """Off in the middle of a picture, and back at once."""
    _half_packet(camera, chance)
    camera.shut()
    camera.reset()
    camera.reboot()
    await camera.open()


# --- the camera is there and does not serve ------------------------------------------------------


def _refuses(method: str, status: int, *, is_stale: bool = False) -> Play:
    async def play(camera: FaultyCamera, chance: Random, stretch: float) -> None:
        camera.refuses, camera.is_stale = {method: status}, is_stale
        camera.reset()
        await _rest(chance, 2.0 * stretch, 6.0 * stretch)
        camera.refuses, camera.is_stale = {}, False

    return play


async def _storm(camera: FaultyCamera, is_stale: bool, chance: Random, stretch: float) -> None:
    methods = ("DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN")
    camera.refuses, camera.is_stale = dict.fromkeys(methods, 401), is_stale
    camera.reset()
    await _rest(chance, 2.0 * stretch, 4.0 * stretch)
    camera.refuses, camera.is_stale = {}, False


async def _refused_logins(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    await _storm(camera, False, chance, stretch)


async def _stale_logins(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    await _storm(camera, True, chance, stretch)


async def _slams(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """It boots: its port is open before its server is."""
    camera.is_slamming = True
    camera.reset()
    await _rest(chance, 2.0 * stretch, 6.0 * stretch)
    camera.is_slamming = False


def _describes(text: str) -> Play:
    async def play(camera: FaultyCamera, chance: Random, stretch: float) -> None:
        camera.description = text
        camera.reset()
        await _rest(chance, 2.0 * stretch, 6.0 * stretch)
        camera.description = None

    return play


async def _half_answers(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    camera.cuts_answers = True
    camera.reset()
    await _rest(chance, 2.0 * stretch, 6.0 * stretch)
    camera.cuts_answers = False


async def _mute(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """Requests of that time are never answered."""
    camera.is_mute = True
    camera.reset()
    await _rest(chance, 3.0 * stretch, 6.0 * stretch)
    camera.is_mute = False


async def _hung(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """It stops altogether, and goes on where it was; its system takes connections meanwhile."""
    camera.reset()
    camera.is_held = True
    for _ in range(round(chance.uniform(30, 100) * stretch)):
        for visit in camera.lives:
            visit.hold()  # whoever came since
        await asyncio.sleep(0.1)
    camera.is_held = False
    for visit in camera.lives:
        visit.go_on()


# --- the connection stands -----------------------------------------------------------------------


async def _frozen(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """No packets, in no session, while RTSP is answered."""
    camera.is_frozen = True
    await _rest(chance, 6.0 * stretch, 12.0 * stretch)
    camera.is_frozen = False


async def _slow_first(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """A battery camera: PLAY is answered, pictures come seconds later."""
    camera.is_frozen = True
    camera.reset()
    await _rest(chance, 6.0, 9.0)
    camera.is_frozen = False


async def _time_forward(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    camera.jump(chance.randrange(90_000 * 30, 1 << 31))


async def _time_back(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    camera.jump(-chance.randrange(90_000 * 30, 1 << 31))


async def _other_ssrc(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    camera.rename()


async def _other_sequence(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    camera.renumber()


async def _garbage(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """Less than is given up for."""
    camera.say(chance.randbytes(chance.randrange(1, 4096)))


async def _much_garbage(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """More than is borne: 256 KiB without a packet."""
    camera.say(b"\xff" * 600_000)


async def _lossy(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """Its encoder is faster than its network: packets are left out."""
    camera.loses = 0.3
    await _rest(chance, 2.0, 4.0)
    camera.loses = 0.0


_NOTHING = "this is no description\r\n"
_SOUND = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:track2\r\n"
)

KINDS = (
    Kind("connection reset", _reset),
    Kind("connection closed", _closed),
    Kind("half a packet, closed", _half_then_closed),
    Kind("half a packet, reset", _half_then_reset),
    Kind("RTCP BYE, connection stays", _bye),
    Kind("reset five times in a row", _many_resets, is_refusal=True),
    Kind("no more packets, new ones served", _dead_connection, more_s=STALL_S),
    Kind("Wi-Fi stalls below 3 s", _blip, loses_nothing=True),
    Kind("Wi-Fi away, camera forgot", _wifi_away),
    Kind("Wi-Fi away, TCP survived", _wifi_resumes),
    Kind("power cycle", _off),
    Kind("off for most of a minute", _long_off),
    Kind("power cycle, other SPS", _other_stream),
    Kind("reboot within a picture", _cut_in_gop),
    Kind("453 to SETUP", _refuses("SETUP", 453), more_s=BUSY_S, is_refusal=True),
    Kind("503 to DESCRIBE", _refuses("DESCRIBE", 503), more_s=BUSY_S, is_refusal=True),
    Kind("404 to DESCRIBE", _refuses("DESCRIBE", 404), is_refusal=True),
    Kind("500 to PLAY", _refuses("PLAY", 500), is_refusal=True),
    Kind("401 to everything", _refused_logins, more_s=LOCKED_S),
    Kind("401 stale to everything", _stale_logins, more_s=LOCKED_S),
    Kind("closes whoever connects", _slams, is_refusal=True),
    Kind("description is nonsense", _describes(_NOTHING), is_refusal=True),
    Kind("description without video", _describes(_SOUND), is_refusal=True),
    Kind("half a description, closed", _half_answers, is_refusal=True),
    Kind("requests go unanswered", _mute, more_s=REPLY_S),
    Kind("hangs, then goes on", _hung),
    Kind("frozen, RTSP answers", _frozen),
    Kind("first picture seconds late", _slow_first),
    Kind("RTP time jumps forward", _time_forward),
    Kind("RTP time jumps back", _time_back),
    Kind("other SSRC", _other_ssrc),
    Kind("sequence begins anew", _other_sequence),
    Kind("garbage between packets", _garbage),
    Kind("600 kB of garbage", _much_garbage),
    Kind("packets left out", _lossy),
)
SLOW = frozenset(kind.name for kind in KINDS if kind.more_s > 2 * RETURN_S) | {
    "off for most of a minute"
}
"""Not played in the short form."""
