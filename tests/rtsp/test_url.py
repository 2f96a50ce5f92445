"""Addresses as people enter them and as cameras tell them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vonggac.errors import ConfigError
from vonggac.rtsp.url import (
    Credentials,
    content_base,
    control_candidates,
    host_of,
    parse_camera_url,
    without_login,
)

# text: host, port, what is sent, login
ADDRESSES = {
    "rtsp://h/a": ("h", 554, "rtsp://h/a", None),
    " RTSP://h:8554 ": ("h", 8554, "rtsp://h:8554", None),
    "rtsp://u:p@h/a?b=%24/c/": ("h", 554, "rtsp://h/a?b=%24/c/", ("u", "p")),
    "rtsp://u:p%40ss%3Aw0rd@h/": ("h", 554, "rtsp://h/", ("u", "p@ss:w0rd")),
    "rtsp://u:p%2540@h/": ("h", 554, "rtsp://h/", ("u", "p%40")),
    "rtsp://u:p@ss@h/": ("h", 554, "rtsp://h/", ("u", "p@ss")),
    "rtsp://u:p/a#s?s@h:88/x": ("h", 88, "rtsp://h:88/x", ("u", "p/a#s?s")),
    "rtsp://u:@h/": ("h", 554, "rtsp://h/", ("u", "")),
    "rtsp://h/mail@x": ("h", 554, "rtsp://h/mail@x", None),
    "rtsp://h/a#b": ("h", 554, "rtsp://h/a", None),
    "rtsp://rtsp://h/a": ("h", 554, "rtsp://h/a", None),
    "rtsp://[fe80::1]:88/a": ("fe80::1", 88, "rtsp://[fe80::1]:88/a", None),
    "rtsp://[fe80::1]/mail@x": ("fe80::1", 554, "rtsp://[fe80::1]/mail@x", None),
    "rtsp://::ffff:1.2.3.4/a": ("::ffff:1.2.3.4", 554, "rtsp://[::ffff:1.2.3.4]/a", None),
    "rtsp://h/đường 1": ("h", 554, "rtsp://h/%C4%91%C6%B0%E1%BB%9Dng%201", None),
    "rtsp://h?channel=1": ("h", 554, "rtsp://h?channel=1", None),
}


@pytest.mark.parametrize(("text", "expected"), ADDRESSES.items())
def test_an_address_is_taken_apart_and_sent_as_written(
    text: str, expected: tuple[str, int, str, tuple[str, str] | None]
) -> None:
    host, port, uri, login = expected
    url = parse_camera_url(text)
    assert (url.host, url.port, url.request_uri) == (host, port, uri)
    assert url.credentials == (Credentials(*login) if login else None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "camera",
        "http://h/",
        "rtspu://h/",
        "rtsp://",
        "rtsp://u:secret@/",
        "rtsp://u:secret@h:0/",
        "rtsp://u:secret@h:65536/",
        "rtsp://u:secret@h:x/",
        "rtsp://u:secret@a..b/",
        "rtsp://u:secret@.b/",
        f"rtsp://u:secret@{'a' * 64}/",
        "rtsp://u:secret@[::1/",
        "rtsp://u:secret@h h/",
        "rtsp://u:secret@h:²/",
    ],
)
def test_what_is_no_address_is_refused_without_showing_its_login(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_camera_url(text)
    assert "secret" not in str(error.value)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_gives_an_address_that_can_be_sent_or_a_config_error(text: str) -> None:
    for prefix in ("", "rtsp://", "rtsp://u:p@h", "rtsp://h/"):
        with contextlib.suppress(ConfigError):
            url = parse_camera_url(prefix + text)
            assert url.request_uri.isascii()
            assert " " not in url.request_uri
            assert 0 < url.port < 65536


def test_no_login_stands_in_texts_for_people() -> None:
    url = parse_camera_url("rtsp://admin:s3cret@h/a")
    for text in (
        repr(url),
        str(url),
        without_login("at rtsp://admin:s3cret@h/a: refused"),
        without_login("at rtsp://admin:it's \"a s3cret\n@h/a: refused"),
        without_login("RTSP://rtsp://admin:p@s3cret@h/a"),
    ):
        assert "s3cret" not in text
        assert "admin" not in text


BASES = {
    None: "rtsp://10.0.0.5/live?a=1",
    "": "rtsp://10.0.0.5/live?a=1",
    "rtsp://10.0.0.5/live/": "rtsp://10.0.0.5/live/",
    '"rtsp://x/live/"': "rtsp://x/live/",
    "rtsp://rtsp://x/live": "rtsp://x/live",
    "/live/": "rtsp://10.0.0.5/live/",
    "live": "rtsp://10.0.0.5/live?a=1",
    "rtsp://": "rtsp://10.0.0.5/live?a=1",
}


@pytest.mark.parametrize(("value", "base"), BASES.items())
def test_a_base_is_repaired_or_replaced_by_the_request(value: str | None, base: str) -> None:
    assert content_base(parse_camera_url("rtsp://10.0.0.5/live?a=1"), value) == base


# control: addresses in the order they are tried, for base rtsp://h/live?p=1
CONTROLS = {
    "trackID=2": (
        "rtsp://h/live?p=1/trackID=2",
        "rtsp://h/live/trackID=2?p=1",
        "rtsp://h/trackID=2",
    ),
    "/trackID=2": (
        "rtsp://h/live?p=1/trackID=2",
        "rtsp://h/live/trackID=2?p=1",
        "rtsp://h/trackID=2",
    ),
    "?ctype=video": ("rtsp://h/live?p=1?ctype=video",),
    "rtsp://h/x": ("rtsp://h/x",),
    "rtsp://192.168.1.9:554/x?y": ("rtsp://192.168.1.9:554/x?y", "rtsp://h/x?y"),
    "rtsp://x.y.z.w": ("rtsp://x.y.z.w", "rtsp://h"),
    "*": ("rtsp://h/live?p=1",),
    "": ("rtsp://h/live?p=1",),
    None: ("rtsp://h/live?p=1",),
}


@pytest.mark.parametrize(("control", "tried"), CONTROLS.items())
def test_a_control_is_tried_the_way_most_cameras_mean_it(
    control: str | None, tried: tuple[str, ...]
) -> None:
    url = parse_camera_url("rtsp://h/live?p=1")
    assert control_candidates(url, url.request_uri, control)[: len(tried)] == tried


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_base_and_control_give_addresses_that_can_be_sent(base: str, control: str) -> None:
    url = parse_camera_url("rtsp://h/live")
    for prefix in ("", "rtsp://", "rtsp://["):
        for uri in control_candidates(url, content_base(url, prefix + base), prefix + control):
            assert uri
            assert uri.isascii()
            assert " " not in uri
            host_of(uri)


def test_an_address_over_tls_keeps_its_scheme_wherever_it_is_joined() -> None:
    url = parse_camera_url("RTSPS://rtsps://cam.lan/live?x=1")
    assert (url.is_tls, url.port, url.request_uri) == (True, 322, "rtsps://cam.lan/live?x=1")
    assert parse_camera_url("rtsp://cam.lan/").is_tls is False
    assert content_base(url, "/base/") == "rtsps://cam.lan/base/"
    assert content_base(url, "rtsps://cam.lan/base/") == "rtsps://cam.lan/base/"
    assert control_candidates(url, "rtsps://cam.lan/a/b", "track1") == (
        "rtsps://cam.lan/a/b/track1",
        "rtsps://cam.lan/a/track1",
    )
    assert control_candidates(url, url.request_uri, "rtsps://10.0.0.1/t")[1] == "rtsps://cam.lan/t"


def test_an_address_of_a_camera_keeps_its_host_where_its_path_holds_an_at_sign() -> None:
    url = parse_camera_url("rtsp://[2001:db8::5]/live")
    base = "rtsp://[2001:db8::5]/cam@1/"
    assert content_base(url, base) == base
    assert control_candidates(url, base, base + "track1")[0] == base + "track1"
