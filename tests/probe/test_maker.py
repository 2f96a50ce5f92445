"""Who made a camera is guessed from its own words and nothing else."""

from __future__ import annotations

import pytest

from vonggac.probe.maker import said_by
from vonggac.rtsp.messages import Headers, Response

SDP = b"v=0\r\ns=%s\r\na=tool:%s\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"


def answer(server: str = "", body: bytes = b"", challenge: str = "") -> Response:
    fields = [("Server", server)] if server else []
    fields += [("WWW-Authenticate", challenge)] if challenge else []
    return Response(200 if body else 401, "", Headers(tuple(fields)), body)


@pytest.mark.parametrize(
    ("said", "maker"),
    [
        (answer(body=SDP % (b'Session streamed by "TP-LINK RTSP Server"', b"")), "TP-Link"),
        (
            answer(body=SDP % (b"Media Presentation", b"BC Streaming Media v202210012022.10.01")),
            "Reolink",
        ),
        (answer("H264DVR 1.0"), "XM / Xiongmai"),
        (
            answer(challenge='Digest realm="Login to 3D01A2B3C4D5E6F", nonce="1"'),
            "Dahua or a sister brand",
        ),
        (answer("GStreamer RTSP server"), "a program: GStreamer"),
        (answer("Hikvision", SDP % (b"x", b"LIVE555 Streaming Media v2014.02.10")), "Hikvision"),
        (answer("Rtsp Server/2.0"), ""),
    ],
)
def test_words_name_a_maker_or_nobody(said: Response, maker: str) -> None:
    assert said_by([said]).maker == maker


def test_its_words_are_given_as_they_are_but_fit_for_people() -> None:
    said = said_by([answer("Rtsp \x1b[31mServer"), answer(body=SDP % (b"No Name", b"cam 2.0"))])
    assert said.server == "Rtsp ?[31mServer"
    assert (said.session_name, said.tool) == ("", "cam 2.0")
    assert said.description is not None and said.description.media[0].kind == "video"


def test_parameter_sets_that_spell_a_name_name_nobody() -> None:
    body = SDP % (b"x", b"y") + b"a=fmtp:96 sprop-parameter-sets=Z0/dahua/AxisAA==,aMk=\r\n"
    assert said_by([answer(body=body)]).maker == ""
