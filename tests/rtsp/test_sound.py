"""Which sound is asked for, and that pictures come whatever a camera does with the question."""

from __future__ import annotations

import pytest

from rtsp_client_rig import ADMIN, SDP, events
from vonggac.media.sound import Sound, SoundCodec
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.client import ClientSession
from vonggac.rtsp.events import Event, PlayReady, Send, UdpAgreed
from vonggac.rtsp.sdp import parse_sdp
from vonggac.rtsp.sound import sound_of, sound_track
from vonggac.rtsp.states import State
from vonggac.rtsp.url import parse_camera_url

AAC_LC_16K = bytes.fromhex("1408")


def audio(line: str, *attributes: str) -> bytes:
    return (SDP.decode() + "\r\n".join((line, *attributes, "a=control:track2", ""))).encode()


def aac(rtpmap: str, fmtp: str) -> bytes:
    return audio("m=audio 0 RTP/AVP 97", f"a=rtpmap:97 {rtpmap}", f"a=fmtp:97 {fmtp}")


def latm(rtpmap: str, fmtp: str) -> bytes:
    return audio("m=audio 0 RTP/AVP 97", f"a=rtpmap:97 {rtpmap}", f"a=fmtp:97 {fmtp}")


def mux(*fields: tuple[int, int]) -> str:
    """StreamMuxConfig (ISO/IEC 14496-3 1.7.3.1) of (value, bits), as fmtp has it."""
    text = "".join(f"{value:0{bits}b}" for value, bits in fields)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8)).hex()


LC_16K = (0x1408, 16)
END = ((0, 3), (255, 8), (0, 1), (0, 1))
V1 = mux((1, 1), (0, 1), (0, 2), (255, 8), (1, 1), (0, 6), (0, 4), (0, 3), (0, 2), (16, 8),
         LC_16K, *END)  # fmt: skip
UNFIT_MUXES = {
    "a version that nobody uses": mux((3, 2), (0, 40)),
    "share no clock": mux((0, 1), (0, 1), (0, 40)),
    "several programs or layers": mux((0, 1), (1, 1), (0, 6), (0, 4), (1, 3), LC_16K, *END),
    "of a kind that a file": mux((0, 1), (1, 1), (0, 6), (0, 7), (23 << 11, 16), *END),
    "do not tell their lengths": mux((0, 1), (1, 1), (0, 6), (0, 7), LC_16K, (1, 3), (0, 16)),
    "other data stands": mux((0, 1), (1, 1), (0, 6), (0, 7), LC_16K, (0, 3), (255, 8), (2, 2)),
    "of a kind": "4000",
    "cannot be read": "zz",
}
HBR = "streamtype=5;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3"
PCMA = Sound(SoundCodec.PCMA, 1, 8000, 8000)
PCMU = Sound(SoundCodec.PCMU, 1, 8000, 8000)
AAC = Sound(SoundCodec.AAC, 1, 16_000, 16_000, AAC_LC_16K, 1024, 13, 3, 3)
LATM = Sound(SoundCodec.LATM, 1, 16_000, 16_000, AAC_LC_16K, 1024)
OFFERS: dict[str, tuple[bytes, Sound | None]] = {
    "none": (SDP, None),
    "static A-law": (audio("m=audio 0 RTP/AVP 8"), PCMA),
    "static mu-law": (audio("m=audio 0 RTP/AVP 0"), PCMU),
    "lower case": (audio("m=audio 0 RTP/AVP 97", "a=rtpmap:97 pcma/8000/1"), PCMA),
    "the name wins over the number": (
        audio("m=audio 0 RTP/AVP 8", "a=rtpmap:8 PCMU/8000"),
        PCMU,
    ),
    "the first of two names": (
        audio("m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=rtpmap:0 PCMA/8000"),
        PCMU,
    ),
    "any rate": (
        audio("m=audio 0 RTP/AVP 8", "a=rtpmap:8 PCMA/16000"),
        Sound(SoundCodec.PCMA, 1, 16_000, 16_000),
    ),
    "opus": (
        audio("m=audio 0 RTP/AVP 98", "a=rtpmap:98 opus/48000/2"),
        Sound(SoundCodec.OPUS, 2, 48_000, 48_000),
    ),
    "opus of another clock": (
        audio("m=audio 0 RTP/AVP 98", "a=rtpmap:98 OPUS/16000"),
        Sound(SoundCodec.OPUS, 2, 48_000, 48_000),
    ),
    "AAC": (aac("MPEG4-GENERIC/16000", f"{HBR};config=1408"), AAC),
    "other case, blanks, an end": (
        aac("mpeg4-generic/16000/1", "profile=1; SizeLength=13; INDEXLENGTH=3 ;config=1408;"),
        AAC,
    ),
    "lengths not told": (aac("AAC/16000", "config=1408"), AAC),
    "low bit rate": (
        aac("MPEG4-GENERIC/16000", "mode=AAC-lbr;config=1408"),
        Sound(SoundCodec.AAC, 1, 16_000, 16_000, AAC_LC_16K, 1024, 6, 2, 2),
    ),
    "no configuration": (aac("MPEG4-GENERIC/16000", HBR), AAC),
    "one that cannot be read": (aac("MPEG4-GENERIC/16000", f"{HBR};config=zz"), AAC),
    "a clock that is not the rate": (
        aac("MPEG4-GENERIC/32000", f"{HBR};config=1408"),
        Sound(SoundCodec.AAC, 1, 32_000, 16_000, AAC_LC_16K, 2048, 13, 3, 3),
    ),
    "HE-AAC, whose clock is that of its core": (
        aac("MPEG4-GENERIC/24000/2", f"{HBR};config=2B118800"),
        Sound(SoundCodec.AAC, 2, 24_000, 24_000, bytes.fromhex("2b118800"), 1024, 13, 3, 3),
    ),
    "frames of 960": (
        aac("MPEG4-GENERIC/16000", f"{HBR};config=140c"),
        Sound(SoundCodec.AAC, 1, 16_000, 16_000, bytes.fromhex("140c"), 960, 13, 3, 3),
    ),
    "AAC of another kind": (aac("MPEG4-GENERIC/16000", f"{HBR};config=BC08"), None),
    "headers with more in them": (
        aac("MPEG4-GENERIC/16000", f"{HBR};CTSDeltaLength=16;config=1408"),
        None,
    ),
    "LATM": (latm("MP4A-LATM/16000", "cpresent=0;config=400028103FC0"), LATM),
    "LATM without cpresent, as ffmpeg and GStreamer take it": (
        latm("MP4A-LATM/16000/1", "profile-level-id=1;object=2;config=400028103fc0"),
        LATM,
    ),
    "LATM of two channels at 48 kHz": (
        latm("MP4A-LATM/48000/2", "cpresent=0; config=400023203FC0"),
        Sound(SoundCodec.LATM, 2, 48_000, 48_000, bytes.fromhex("1190"), 1024),
    ),
    "LATM of version 1, which tells how long its configuration is": (
        latm("MP4A-LATM/16000", f"cpresent=0;config={V1}"),
        LATM,
    ),
    "LATM whose configuration ends behind the decoder's": (
        latm("MP4A-LATM/16000", "cpresent=0;config=40002810"),
        LATM,
    ),
    "LATM whose configuration comes in its packets": (
        latm("MP4A-LATM/16000", "cpresent=1;config=400028103FC0"),
        None,
    ),
    "LATM without a configuration": (latm("MP4A-LATM/16000", "bitrate=64000"), None),
    "G.726": (audio("m=audio 0 RTP/AVP 97", "a=rtpmap:97 G726-32/8000"), None),
    "AAC of a clock that no loop takes": (aac("AAC/999999999", "config=1408"), None),
    "A-law of one": (audio("m=audio 0 RTP/AVP 8", "a=rtpmap:8 PCMA/200000"), None),
    "G.722": (audio("m=audio 0 RTP/AVP 9"), None),
    "linear": (audio("m=audio 0 RTP/AVP 11", "a=rtpmap:11 PCM/48000"), None),
    "what it wants to be sent": (audio("m=audio 0 RTP/AVP 8", "a=sendonly"), None),
    "inactive": (audio("m=audio 0 RTP/AVP 8", "a=inactive"), None),
    "encrypted": (audio("m=audio 0 RTP/SAVP 8"), None),
    "no address of its own": (SDP + b"m=audio 0 RTP/AVP 8\r\n", None),
    "the second": (
        SDP + b"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 G726-32/8000\r\na=control:track2\r\n"
        b"m=audio 0 RTP/AVP 0\r\na=control:track3\r\n",
        PCMU,
    ),
}


@pytest.mark.parametrize(("text", "expected"), OFFERS.values(), ids=OFFERS)
def test_what_a_file_can_carry_is_taken_as_cameras_write_it(
    text: bytes, expected: Sound | None
) -> None:
    found = sound_track(parse_sdp(text))
    assert (found.sound if found else None) == expected


@pytest.mark.parametrize(("why", "config"), UNFIT_MUXES.items(), ids=UNFIT_MUXES)
def test_latm_that_cannot_be_recorded_is_refused_with_the_reason(why: str, config: str) -> None:
    text = latm("MP4A-LATM/16000", f"cpresent=0;config={config}")
    found = sound_of(parse_sdp(text))
    assert isinstance(found, str)
    assert why in found


def test_of_several_that_do_not_fit_the_first_says_why() -> None:
    text = audio("m=audio 0 RTP/SAVP 8") + b"m=audio 0 RTP/AVP 9\r\na=control:track3\r\n"
    assert sound_of(parse_sdp(text)) == "it is encrypted"
    assert sound_of(parse_sdp(SDP)) == ""


class Dialogue:
    """A camera that answers what the test says, to a client that asks for sound."""

    def __init__(
        self, *, with_sound: bool = True, udp: bool = False, has_room: bool = True
    ) -> None:
        """`has_room`: ports of ours for the sound's datagrams were to be had."""
        self.session = ClientSession(
            parse_camera_url("rtsp://10.0.0.9/cam1"),
            Authenticator(ADMIN, "c0ffee"),
            udp_ports=(5000, 5001) if udp else None,
            sound_ports=(5002, 5003) if udp and has_room else None,
            with_sound=with_sound,
        )
        self.told: list[Event] = []
        self.asked = [self._line(self.session.start())]
        self.number = 1
        self.answer()
        text = audio("m=audio 0 RTP/AVP 8")
        self.answer(f"Content-Length: {len(text)}\r\n", text)

    @staticmethod
    def _line(request: bytes) -> str:
        words = request.split(b"\r\n")
        transport = [line for line in words if line.startswith(b"Transport")]
        return b" ".join(words[0].split()[:2] + transport).decode()

    def answer(self, fields: str = "", body: bytes = b"", status: str = "200 OK") -> None:
        head = f"RTSP/1.0 {status}\r\nCSeq: {self.number}\r\n{fields}\r\n"
        self.session.receive(head.encode() + body)
        for found in events(self.session):
            if isinstance(found, Send):
                self.number += 1
                self.asked.append(self._line(found.data))
            else:
                self.told.append(found)  # type: ignore[arg-type]

    def set_up(self, channels: str, status: str = "200 OK") -> None:
        self.answer(
            f"Session: 7\r\nTransport: RTP/AVP/TCP;unicast;interleaved={channels}\r\n",
            status=status,
        )

    @property
    def ready(self) -> PlayReady:
        (found,) = [one for one in self.told if isinstance(one, PlayReady)]
        return found


def test_sound_is_asked_for_behind_the_pictures_and_before_play() -> None:
    dialogue = Dialogue()
    dialogue.set_up("0-1")
    dialogue.set_up("2-3")
    dialogue.answer()
    assert [line.split()[0] for line in dialogue.asked] == [
        *("OPTIONS", "DESCRIBE", "SETUP", "SETUP", "PLAY"),
    ]
    assert dialogue.asked[3] == (
        "SETUP rtsp://10.0.0.9/cam1/track2 Transport: RTP/AVP/TCP;unicast;interleaved=2-3"
    )
    ready = dialogue.ready.sound
    assert ready is not None
    assert (ready.sound, ready.payload_type) == (PCMA, 8)
    assert (ready.rtp_channel, ready.rtcp_channel) == (2, 3)


def test_the_channels_that_the_camera_names_count() -> None:
    dialogue = Dialogue()
    dialogue.set_up("4-5")
    assert dialogue.asked[3].endswith("interleaved=6-7")
    dialogue.set_up("10-11")
    dialogue.answer()
    ready = dialogue.ready
    assert ready.sound is not None
    assert (ready.rtp_channel, ready.sound.rtp_channel, ready.sound.rtcp_channel) == (4, 10, 11)


@pytest.mark.parametrize(
    "status", ["404 Not Found", "454 Session Not Found", "461 No", "500 Error", "501 No", "302 No"]
)
def test_a_camera_that_grants_no_sound_is_played_without(status: str) -> None:
    dialogue = Dialogue()
    dialogue.set_up("0-1")
    dialogue.answer(status=status)
    assert dialogue.asked[-1].startswith("PLAY")
    dialogue.answer()
    assert dialogue.ready.sound is None
    assert dialogue.session.state is State.PLAYING


@pytest.mark.parametrize("channels", ["0-1", "1-2"])
def test_channels_of_the_pictures_are_never_taken_for_sound(channels: str) -> None:
    dialogue = Dialogue()
    dialogue.set_up("0-1")
    dialogue.set_up(channels)
    dialogue.answer()
    assert dialogue.ready.sound is None


@pytest.mark.parametrize(
    ("with_sound", "udp", "transport"),
    [
        (False, False, "RTP/AVP/TCP;unicast;interleaved=0-1"),
        (False, True, "RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001"),
        (True, True, "RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001"),
    ],
)
def test_sound_is_not_asked_for_where_it_is_not_agreed_to_or_no_port_is_left_for_it(
    with_sound: bool, udp: bool, transport: str
) -> None:
    dialogue = Dialogue(with_sound=with_sound, udp=udp, has_room=False)
    dialogue.answer(f"Session: 7\r\nTransport: {transport}\r\n")
    dialogue.answer()
    assert [line.split()[0] for line in dialogue.asked[2:]] == ["SETUP", "PLAY"]
    assert dialogue.ready.sound is None
    assert [track.encoding for track in dialogue.ready.audio] == ["PCMA"]
    assert not dialogue.ready.sound_told.was_asked


UDP = "Session: 7\r\nTransport: RTP/AVP;unicast;client_port={};server_port={}\r\n"


def test_where_the_pictures_come_as_datagrams_the_sound_is_asked_for_as_such() -> None:
    dialogue = Dialogue(udp=True)
    dialogue.answer(UDP.format("5000-5001", "6000-6001"))
    assert dialogue.asked[3] == (
        "SETUP rtsp://10.0.0.9/cam1/track2 Transport: RTP/AVP;unicast;client_port=5002-5003"
    )
    dialogue.answer(UDP.format("5002-5003", "6002-6003"))
    dialogue.answer()
    agreed = [one for one in dialogue.told if isinstance(one, UdpAgreed)]
    assert agreed == [UdpAgreed((6000, 6001)), UdpAgreed((6002, 6003), is_sound=True)]
    ready = dialogue.ready
    assert (ready.udp_ports, ready.sound_told.udp_ports) == ((6000, 6001), (6002, 6003))
    assert ready.sound is not None
    assert ready.sound.sound == PCMA


@pytest.mark.parametrize("status", ["461 Unsupported Transport", "404 Not Found", "500 Error"])
def test_datagrams_of_sound_that_are_refused_leave_those_of_the_pictures(status: str) -> None:
    dialogue = Dialogue(udp=True)
    dialogue.answer(UDP.format("5000-5001", "6000-6001"))
    dialogue.answer(status=status)
    dialogue.answer()
    ready = dialogue.ready
    assert (ready.udp_ports, ready.sound) == ((6000, 6001), None)
    assert (ready.sound_told.was_asked, ready.sound_told.udp_ports) == (True, None)


def test_who_tells_no_port_for_the_sound_is_heard_all_the_same() -> None:
    dialogue = Dialogue(udp=True)
    dialogue.answer(UDP.format("5000-5001", "6000-6001"))
    dialogue.answer("Transport: RTP/AVP;unicast;client_port=5002-5003\r\n")
    dialogue.answer()
    assert dialogue.ready.sound_told.udp_ports == (0, 0)


def test_sound_on_the_connection_beside_pictures_as_datagrams_is_taken() -> None:
    dialogue = Dialogue(udp=True)
    dialogue.answer(UDP.format("5000-5001", "6000-6001"))
    dialogue.set_up("2-3")
    dialogue.answer()
    ready = dialogue.ready
    assert ready.sound is not None
    assert (ready.sound.rtp_channel, ready.sound_told.udp_ports) == (2, None)


def test_pictures_on_the_connection_though_datagrams_were_asked_for_have_their_sound_there() -> (
    None
):
    dialogue = Dialogue(udp=True)
    dialogue.set_up("0-1")
    assert dialogue.asked[3].endswith("Transport: RTP/AVP/TCP;unicast;interleaved=2-3")
    dialogue.set_up("2-3")
    dialogue.answer()
    assert (dialogue.ready.udp_ports, dialogue.ready.sound_told.udp_ports) == (None, None)
    assert dialogue.ready.sound is not None


def test_a_login_refused_for_the_sound_alone_is_no_wrong_password() -> None:
    dialogue = Dialogue()
    challenge = 'WWW-Authenticate: Digest realm="r", nonce="{}"\r\n'
    dialogue.answer(challenge.format("1"), status="401 Unauthorized")
    dialogue.set_up("0-1")
    dialogue.answer(challenge.format("1"), status="401 Unauthorized")
    assert dialogue.asked[-1].startswith("PLAY")
    dialogue.answer()
    assert dialogue.ready.sound is None
    assert not dialogue.session.authenticator.is_refused


def test_a_nonce_that_aged_before_the_sound_is_answered_anew() -> None:
    dialogue = Dialogue()
    challenge = 'WWW-Authenticate: Digest realm="r", nonce="{}", stale={}\r\n'
    dialogue.answer(challenge.format("1", "false"), status="401 Unauthorized")
    dialogue.set_up("0-1")
    dialogue.answer(challenge.format("2", "true"), status="401 Unauthorized")
    dialogue.set_up("2-3")
    dialogue.answer()
    assert dialogue.ready.sound is not None
