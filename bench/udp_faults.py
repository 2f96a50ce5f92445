"""What can befall a camera that sends datagrams: `episodes.py --udp` plays it.

Kinds of `faults.py` that have nothing to do with the bytes of a connection, and those of datagrams,
whose way through the network may end while the connection stands.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random

from faults import KINDS, Kind
from faulty_cameras import FaultyCamera


async def _burst_lost(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """Every packet of some time that the watchdog bears."""
    camera.is_cut = True
    await asyncio.sleep(chance.uniform(0.5, 3.0))
    camera.is_cut = False


async def _ports_silent(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """A firewall forgets the datagrams' way for longer; RTSP is answered, new sessions are mute."""
    camera.is_cut = True
    await asyncio.sleep(chance.uniform(6.0, 12.0))
    camera.is_cut = False


async def _way_gone(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """For so long that no session has seen a picture: the recorder asks for TCP, in vain."""
    camera.is_cut = True
    await asyncio.sleep(chance.uniform(30.0, 40.0))
    camera.is_cut = False


async def _session_survives(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """A Wi-Fi was away, and what was sent meanwhile is lost; the camera plays on."""
    await camera.hold()
    await asyncio.sleep(chance.uniform(6.0, 12.0) * stretch)
    await camera.release(forgets=False)


async def _other_ports(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """Packets come from ports that nobody told."""
    camera.open_ports()


async def _ports_refused(camera: FaultyCamera, chance: Random, stretch: float) -> None:
    """What sends the packets restarts: reports to it are refused, then it has other ports."""
    camera.close_ports()
    await asyncio.sleep(chance.uniform(1.0, 3.0))
    camera.open_ports()


_OF_BOTH = (
    "connection reset",
    "connection closed",
    "RTCP BYE, connection stays",
    "reset five times in a row",
    "no more packets, new ones served",
    "Wi-Fi away, camera forgot",
    "power cycle",
    "power cycle, other SPS",
    "reboot within a picture",
    "453 to SETUP",
    "500 to PLAY",
    "requests go unanswered",
    "hangs, then goes on",
    "first picture seconds late",
    "RTP time jumps forward",
    "RTP time jumps back",
    "other SSRC",
    "sequence begins anew",
    "packets left out",
)
UDP_KINDS = (
    *(replace(kind, name=f"UDP: {kind.name}") for kind in KINDS if kind.name in _OF_BOTH),
    Kind("UDP: Wi-Fi away, session survived", _session_survives),
    Kind("UDP: all packets lost below 3 s", _burst_lost),
    Kind("UDP: all packets lost for 6 to 12 s", _ports_silent),
    Kind("UDP: all packets lost for 30 to 40 s", _way_gone, is_refusal=True),
    Kind("UDP: packets from other ports", _other_ports),
    Kind("UDP: ports refused, then others", _ports_refused),
)
assert len(UDP_KINDS) == len(_OF_BOTH) + 6, "a kind has another name in faults.py"
UDP_SLOW = frozenset({"UDP: all packets lost for 30 to 40 s"}) | {
    kind.name for kind in UDP_KINDS if kind.more_s > 10.0
}
"""Not played in the short form."""
