"""What one stream of a camera really sends, measured packet by packet.

The depacketiser, the parameter set readers and the order of datagrams are those of the loop.
"""

from __future__ import annotations

from collections import Counter

from vonggac._native.assembler import AccessUnit, Assembler
from vonggac._native.parse import (
    RtpPacket,
    h264_sps,
    h265_sps,
    jpeg_size,
    rtcp_receiver_report,
    rtp_parse,
)
from vonggac._native.rtp_order import RtpOrder
from vonggac.errors import MediaError
from vonggac.media.chunk import Codec
from vonggac.probe.clock import ClockReader
from vonggac.probe.figures import Figures, Picture, figures_of
from vonggac.rtsp.annexb import nal_type
from vonggac.rtsp.events import PlayReady
from vonggac.rtsp.habits import Habit

__all__ = ["Meter", "is_rtcp"]

_RTCP_TYPES = range(200, 205)
"""The second byte of RTCP (RFC 3550 12.1); some cameras send it on the channel of the pictures."""
_OWN_SSRC = 0x56474750
_SPS_TYPES = {Codec.H264: 7, Codec.H265: 33}
_PICTURES_MAX, _SETS_MAX = 100_000, 64
"""What is kept of a camera that sends more than any: ten minutes at 160 a second; each set once."""
_HABITS = (
    (Habit.FOREIGN_PACKETS, "packets_foreign"),
    (Habit.REPEATED_PACKETS, "packets_duplicate"),
    (Habit.MARKER, "marker_wrong"),
    (Habit.START_CODES, "start_codes_inside"),
    (Habit.FRAGMENTS, "fu_odd"),
    (Habit.NAL_UNITS, "nals_dropped"),
)


def is_rtcp(data: bytes) -> bool:
    """Whether a packet is RTCP, whatever it came on."""
    return len(data) >= 2 and data[1] in _RTCP_TYPES


class Meter:
    """Packets in, figures out. Times are the caller's: monotonic ns, and wall ns for the clock."""

    def __init__(self, play: PlayReady) -> None:
        self._play = play
        self._is_udp = play.udp_ports is not None
        self._assembler = Assembler(int(play.codec), play.payload_type)
        if play.has_donl:
            self._assembler.expect_donl()
        if play.codec is Codec.MJPEG and play.sps:
            width, height = play.sps[0][:2], play.sps[0][2:4]
            self._assembler.expect_size(int.from_bytes(width), int.from_bytes(height))
        self._clock = ClockReader()
        self._order = RtpOrder()
        self._held: dict[int, RtpPacket] = {}
        self._pictures: list[Picture] = []
        self._sets: set[bytes] = set()
        self._size = (0, 0)
        self._reorders = False
        self._ssrc: int | None = None
        self._sequence = 0
        self._octets = 0
        self._garbage = 0
        self._late = 0
        self._malformed = 0
        if play.codec is not Codec.MJPEG:
            for sps in play.sps:
                self._read_sps(sps)
        self._sets.clear()  # the description's are a hint, and no change when others come

    def packet(self, data: bytes, now_ns: int, wall_ns: int) -> None:
        """A packet as it came, RTP or RTCP. Behind datagrams comes `read_empty`."""
        if is_rtcp(data):
            self._clock.report(data, self._ssrc, wall_ns)
            return
        try:
            packet = rtp_parse(data)
        except MediaError:
            self._malformed += 1
            return
        if packet.payload_type == self._play.payload_type:
            self._ssrc, self._sequence = packet.ssrc, packet.sequence
            self._octets += len(data)
        if self._is_udp and packet.payload_type == self._play.payload_type:
            self._put_in_order(packet, now_ns)
        else:
            self._assemble(packet, now_ns)

    def read_empty(self, now_ns: int) -> None:
        """No datagram stands in the socket: those that have waited long wait no more."""
        self._release(now_ns, now_ns)

    def garbage(self) -> None:
        """Bytes of the connection were no packet."""
        self._garbage += 1
        self._assembler.mark_hole()

    def finish(self, began_ns: int, ended_ns: int) -> Figures:
        """All figures; `began_ns` is when PLAY was answered."""
        while self._pull(ended_ns, ended_ns, must=True):
            pass
        counts = self._assembler.counts
        return figures_of(
            self._pictures,
            began_ns,
            ended_ns,
            clock_rate=self._play.clock_rate,
            size=self._size,
            octets=self._octets,
            packets=counts["packets"],
            packets_lost=counts["packets_lost"],
            packets_late=self._late,
            parameter_sets=len(self._sets),
            has_b_pictures=self._reorders,
            clock=self._clock.clock(),
            timeless_reports=self._clock.timeless,
        )

    def receiver_report(self) -> bytes:
        """What we have received so far (RFC 3550 6.4.2); nothing before the first packet."""
        if self._ssrc is None:
            return b""
        lost = min(self._assembler.counts["packets_lost"], 0x7FFFFF)
        return rtcp_receiver_report(
            _OWN_SSRC, self._ssrc, lost=lost, highest_sequence=self._sequence
        )

    def habits(self) -> Counter[Habit]:
        """What was odd about its packets."""
        counts = self._assembler.counts
        found = Counter({habit: counts[name] for habit, name in _HABITS if counts[name]})
        if self._garbage:
            found[Habit.GARBAGE] = self._garbage
        return found

    def _put_in_order(self, packet: RtpPacket, now_ns: int) -> None:
        """As the loop orders datagrams."""
        while (place := self._order.push(packet.sequence, now_ns)) == "full":
            self._pull(now_ns, now_ns, must=True)
        if place == "next":
            self._assemble(packet, now_ns)
            # How long others have waited does not count here: what they wait for may stand in the
            # socket behind this one.
            self._release(0, now_ns)
        elif place == "hold":
            self._held[packet.sequence] = packet
        else:
            self._late += place == "late"

    def _release(self, waited_until_ns: int, now_ns: int) -> None:
        while self._pull(waited_until_ns, now_ns):
            pass

    def _pull(self, waited_until_ns: int, now_ns: int, *, must: bool = False) -> bool:
        """The next of those that wait, if it waits no longer."""
        sequence = self._order.pull(waited_until_ns, must)
        if sequence is None:
            return False
        if (packet := self._held.pop(sequence, None)) is not None:
            self._assemble(packet, now_ns)
        return True

    def _assemble(self, packet: RtpPacket, now_ns: int) -> None:
        while True:
            try:
                is_taken = self._assembler.push(packet)
            except MediaError:
                is_taken = True  # dropped, and counted where it says so
            while (unit := self._assembler.pull()) is not None:
                self._take(unit, now_ns)
            if is_taken:
                return

    def _take(self, unit: AccessUnit, now_ns: int) -> None:
        """A picture whose last packet came by `now_ns`."""
        if not unit.is_picture:
            return
        for nal in unit.nals:
            self._look(nal)
        size = sum(map(len, unit.nals))
        if len(self._pictures) < _PICTURES_MAX:
            self._pictures.append(
                Picture(now_ns, unit.timestamp, unit.kind != 0, unit.damaged, size)
            )

    def _look(self, nal: bytes) -> None:
        if self._play.codec is Codec.MJPEG:
            try:
                self._size = jpeg_size(nal)
            except MediaError:
                self._malformed += 1
        elif nal_type(self._play.codec, nal) == _SPS_TYPES[self._play.codec]:
            self._read_sps(nal)

    def _read_sps(self, nal: bytes) -> None:
        read = h264_sps if self._play.codec is Codec.H264 else h265_sps
        try:
            sps = read(nal)
        except MediaError:
            self._malformed += 1
            return
        if len(self._sets) < _SETS_MAX:
            self._sets.add(nal)
        self._size = (sps.width, sps.height)
        self._reorders = sps.reorder_depth > 0
