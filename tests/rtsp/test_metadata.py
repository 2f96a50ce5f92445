"""What a camera offers beside pictures and sound: named, and never asked for."""

from __future__ import annotations

import itertools

import pytest

from rtsp_client_rig import ADMIN, SDP, events
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.client import ClientSession
from vonggac.rtsp.events import PlayReady, Send
from vonggac.rtsp.sdp import parse_sdp
from vonggac.rtsp.tracks import metadata_encodings
from vonggac.rtsp.url import parse_camera_url

HEAD, _, VIDEO = SDP.decode().partition("m=video")
TRACKS = {
    "video": "m=video" + VIDEO,
    "sound": "m=audio 0 RTP/AVP 8\r\na=control:sound\r\n",
    "metadata": "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n"
    "a=control:meta\r\na=recvonly\r\n",
}
ORDERS = list(itertools.permutations(TRACKS))


def dialogue(text: bytes, *, with_sound: bool) -> tuple[list[str], PlayReady]:
    """What is set up of such a camera, and how it plays."""
    session = ClientSession(
        parse_camera_url("rtsp://10.0.0.9/cam1"), Authenticator(ADMIN, "c0ffee"),
        with_sound=with_sound,
    )  # fmt: skip
    asked = [session.start()]
    while True:
        method = asked[-1].decode().split(maxsplit=1)[0]
        fields, body = "", b""
        if method == "DESCRIBE":
            fields, body = f"Content-Length: {len(text)}\r\n", text
        if method == "SETUP":
            transport = asked[-1].decode().partition("Transport: ")[2].partition("\r\n")[0]
            fields = f"Session: 7\r\nTransport: {transport}\r\n"
        head = f"RTSP/1.0 200 OK\r\nCSeq: {len(asked)}\r\n{fields}\r\n"
        session.receive(head.encode() + body)
        for found in events(session):
            if isinstance(found, PlayReady):
                lines = [one.decode().split(maxsplit=2)[:2] for one in asked]
                return [uri for method, uri in lines if method == "SETUP"], found
            assert isinstance(found, Send), found
            asked.append(found.data)


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_metadata_is_named_and_not_set_up_wherever_it_stands(order: tuple[str, ...]) -> None:
    text = (HEAD + "".join(TRACKS[name] for name in order)).encode()
    set_up, ready = dialogue(text, with_sound=True)
    assert len(set_up) == 2
    assert not any("meta" in uri for uri in set_up)
    assert (ready.rtp_channel, ready.metadata) == (0, ("VND.ONVIF.METADATA",))
    assert ready.sound is not None
    assert (ready.sound.rtp_channel, ready.sound.payload_type) == (2, 8)
    assert len(dialogue(text, with_sound=False)[0]) == 1


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("m=application 0 RTP/AVP 107\r\n", ("APPLICATION",)),
        ("m=metadata 0 RTP/AVP 98\r\na=rtpmap:98 Dahua.Meta/90000\r\n", ("DAHUA.META",)),
        ("m=text 0 RTP/AVP 99\r\nm=text 0 RTP/AVP 99\r\n", ("TEXT",)),
        ("m=audio 0 RTP/AVP 8\r\n", ()),
    ],
)
def test_whatever_is_neither_pictures_nor_sound_has_a_name(
    line: str, names: tuple[str, ...]
) -> None:
    assert metadata_encodings(parse_sdp(SDP + line.encode())) == names
