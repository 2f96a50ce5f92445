"""Which device answers: read from what real cameras say, and compared with care."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vonggac.rtsp.device import Device, after, differing, is_other, is_proven, merged
from vonggac.rtsp.inquiry import Inquiry
from vonggac.rtsp.messages import Headers, Response
from vonggac.rtsp.url import parse_camera_url

KNOWN = Device("serial:4K01FD2PAJ6E3FF", "Login to #", "Rtsp Server/#", "Media Server")


def refusal(realm: str, *more: tuple[str, str]) -> Response:
    challenge = f'Digest realm="{realm}", nonce="203c8d27"'
    return Response(401, "Unauthorized", Headers((("WWW-Authenticate", challenge), *more)))


def described(body: str) -> Response:
    return Response(200, "OK", Headers((("Server", "Rtsp Server/2.0"),)), body.encode())


@pytest.mark.parametrize(
    ("realm", "serial", "rest"),
    [
        ("Login to 4K01FD2PAJ6E3FF", "serial:4K01FD2PAJ6E3FF", "Login to #"),
        ("Login to AMC0007RVY5EQ6DV29", "serial:AMC0007RVY5EQ6DV29", "Login to #"),
        (
            "Login to 11839e10161ff4ebab8e3260b8779f14",
            "hash:11839E10161FF4EBAB8E3260B8779F14",
            "Login to #",
        ),
        ("IP Camera(C1214)", "suffix:C1214", "IP Camera(#)"),
        ("b4a38201a73f", "mac:B4A38201A73F", "#"),
        ("AXIS_ACCC8ED78C7B", "mac:ACCC8ED78C7B", "AXIS_#"),
        ("00:40:8c:be:b3:6a", "mac:00408CBEB36A", "#"),
        ("iPOLiS", "", "iPOLiS"),
        ("LIVE555 Streaming Media", "", "LIVE# Streaming Media"),
        ("Login to DS-2CD2042", "", "Login to DS-#CD#"),
        ("Surveillance Server", "", "Surveillance Server"),
        ("IP Camera(main)", "", "IP Camera(main)"),
    ],
)
def test_a_serial_number_is_found_where_cameras_put_it(realm: str, serial: str, rest: str) -> None:
    device = after(Device(), refusal(realm))
    assert (device.serial, device.realm) == (serial, rest)


def test_versions_and_sizes_are_no_part_of_what_a_camera_says_of_itself() -> None:
    old, new = (
        after(Device(), refusal("r", ("Server", f"Rtsp Server/{words}")))
        for words in ("2.0 1920*1080*20*2048", "3.1 2560*1440*25*4096")
    )
    assert old == new
    assert old.product == "Rtsp Server/# #"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("v=0\r\ns=Media Server\r\n", "Media Server"),
        ('v=0\ns=Session streamed by "preview"\n', 'Session streamed by "preview"'),
        (
            "v=0\r\ns=-\r\na=tool:LIVE555 Streaming Media v2014.02.10\r\n",
            "LIVE# Streaming Media v#",
        ),
        ("v=0\r\ns= \r\nm=video 0 RTP/AVP 96\r\n", ""),
        ("v=0\r\ns=Channel1\r\n", "Channel#"),
    ],
)
def test_the_name_of_a_session_is_read_from_any_description(body: str, name: str) -> None:
    assert after(Device(), described(body)).name == name


def test_later_answers_add_to_what_is_known() -> None:
    device = after(Device(), refusal("IP Camera(C1214)", ("Server", "x/1")))
    device = after(device, described("s=Media\n"))
    # Of two servers that it names the first: that one is told before the login too.
    assert device == Device("suffix:C1214", "IP Camera(#)", "x/#", "Media")


def test_what_a_camera_says_is_short_and_printable() -> None:
    device = after(Device(), refusal("\x1b[2J" + "x" * 500))
    assert device.realm.isprintable()
    assert len(str(device)) <= 100


# -- Which change counts --


def test_another_serial_number_is_another_device_whatever_else_is_the_same() -> None:
    other = replace(KNOWN, serial="serial:4K01FD2PAJ6E400")
    assert is_other(KNOWN, other)
    assert is_other(KNOWN, other, is_whole=False)
    assert not is_other(KNOWN, other, {"serial"})


def test_the_same_serial_number_is_the_same_device_whatever_an_update_changed() -> None:
    assert not is_other(KNOWN, Device(KNOWN.serial, "Welcome to #", "Embedded", "Live"))


def test_an_update_that_hides_the_serial_number_is_no_other_device() -> None:
    """Dahua's newer firmware puts a hash into the place of the number."""
    hidden = replace(KNOWN, serial="hash:11839E10161FF4EBAB8E3260B8779F14")
    assert not is_other(KNOWN, hidden)
    assert not is_other(KNOWN, replace(KNOWN, serial=""))
    assert not is_other(replace(KNOWN, serial=""), KNOWN)


WORDS = Device("", "LIVE# Streaming Media", "Rtsp Server/#", "Media")


@pytest.mark.parametrize(
    "changed",
    [
        replace(WORDS, product="Embedded"),
        replace(WORDS, product="Embedded", realm="IP Camera"),
        replace(WORDS, product="", realm="", name="Live"),
        Device(),
    ],
)
def test_words_of_which_one_is_the_same_or_one_alone_can_be_compared_decide_nothing(
    changed: Device,
) -> None:
    assert not is_other(WORDS, changed)


def test_words_of_which_none_is_the_same_are_another_device_once_all_were_heard() -> None:
    other = Device("", "IP Camera", "Embedded", "")
    assert is_other(WORDS, other)
    assert not is_other(WORDS, other, is_whole=False)
    assert not is_other(WORDS, other, {"realm"})


def test_nothing_is_another_device_for_a_camera_that_was_never_seen() -> None:
    assert not is_other(Device(), KNOWN)


def test_only_a_serial_number_proves_that_it_is_the_same_device() -> None:
    assert is_proven(KNOWN, Device(KNOWN.serial))
    assert not is_proven(KNOWN, Device(KNOWN.serial), {"serial"})
    assert not is_proven(WORDS, WORDS)
    assert not is_proven(Device(), Device())


def test_facts_that_both_tell_and_that_differ_are_named() -> None:
    assert differing(KNOWN, Device("serial:X1234567", "Login to #", "", "Live")) == {
        "serial",
        "name",
    }
    assert merged(KNOWN, Device(name="Live")) == replace(KNOWN, name="Live")


def test_facts_are_kept_by_name_and_words_of_another_version_are_ignored() -> None:
    assert Device.of(KNOWN.facts()) == KNOWN
    assert Device.of({"realm": "r", "colour": "red"}) == Device(realm="r")


# -- Asking who is there --


def test_a_stranger_is_asked_once_and_told_nothing() -> None:
    inquiry = Inquiry(parse_camera_url("rtsp://user:secret@10.0.0.9/main"))
    asked = inquiry.start()
    assert asked.startswith(b"DESCRIBE rtsp://10.0.0.9/main RTSP/1.0\r\n")
    assert b"Authorization" not in asked
    first, second = refusal("IP Camera(C1214)", ("CSeq", "1")).encode()[:30], b""
    second = refusal("IP Camera(C1214)", ("CSeq", "1")).encode()[30:]
    assert inquiry.receive(first) == b""
    assert inquiry.receive(second) is None
    assert inquiry.device.serial == "suffix:C1214"


def test_a_stranger_that_speaks_no_rtsp_is_nobody() -> None:
    inquiry = Inquiry(parse_camera_url("rtsp://10.0.0.9/main"))
    inquiry.start()
    assert inquiry.receive(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") is None
    assert inquiry.device == Device()
