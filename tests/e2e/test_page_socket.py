"""The page's one WebSocket against `vonggac run`: tiles, looks, news, and who has no business."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from simple_websocket import ConnectionClosed

from box_rig import Cameras
from fragment_reader import browsers_keep, read
from page_rig import PagedBox
from socket_visitor import Visitor
from vonggac.registry.catalog import Catalog


@pytest.fixture(scope="module")
def cameras() -> Iterator[Cameras]:
    served = Cameras(2)
    yield served
    served.stop()


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, cameras: Cameras) -> Iterator[PagedBox]:
    made = PagedBox(tmp_path_factory.mktemp("socket") / "home", "512M")
    for name in cameras.names:
        made.add(cameras, name)
    with made.running("run"):
        made.until_durable(1.0)
        yield made
    made.discard()


@pytest.fixture
def visitor(box: PagedBox) -> Visitor:
    return Visitor(box)


def camera_id(home: Path, code: str) -> bytes:
    with Catalog(home, is_readonly=True) as catalog:
        camera = catalog.camera(code)
    assert camera is not None
    return camera.id


def test_a_tile_gets_its_state_its_head_and_pictures(box: PagedBox, visitor: Visitor) -> None:
    look = visitor.look(camera_id(box.home, "cam1"))
    page = visitor.socket()
    page.say(hold=[look])
    page.say(watch=look, tile=3, stream="main")
    page.until(lambda: len(page.media(3)) > 60)
    told = page.until_text(tile=3, state="live")
    assert told["mime"] == f'video/mp4; codecs="{told["codec"]}"'
    assert told["codec"].startswith("avc1.")
    init = page.binaries[0]
    assert (init.kind, init.tile, init.data[4:8]) == (1, 3, b"ftyp")
    late_s = sorted(page.delays_s[len(page.delays_s) // 2 :])
    assert late_s[len(late_s) // 2] < 0.5
    page.say(unwatch=3)
    page.until_text(tile=3, state="ended", code="unwatched")
    media = page.media(3)
    assert [m.number for m in media] == list(range(1, len(media) + 1))
    assert media[0].flags & 4
    samples = [sample for m in media for sample in read(m.data)]
    assert browsers_keep(samples)
    page.close()

    shown_s = sum(sample.duration for sample in samples) / 90_000
    line = box.until_line(action="look end", result="nobody is there")
    assert line["delivered_ms"] / 1000 == pytest.approx(shown_s, abs=1.5)


def test_sixteen_tiles_at_once_and_no_seventeenth(box: PagedBox, visitor: Visitor) -> None:
    looks = [visitor.look(camera_id(box.home, name)) for name in ("cam1", "cam2")]
    page = visitor.socket()
    page.say(hold=looks)
    for tile in range(1, 18):
        page.say(watch=looks[tile % 2], tile=tile, stream=("main", "sub")[tile // 2 % 2])
    page.until_text(tile=17, state="refused", code="too-many")
    page.until(lambda: all(len(page.media(tile)) > 25 for tile in range(1, 17)))
    for tile in range(1, 17):
        assert browsers_keep([s for m in page.media(tile) for s in read(m.data)])
    page.close()


def test_another_stream_in_a_tile_takes_its_place(box: PagedBox, visitor: Visitor) -> None:
    look = visitor.look(camera_id(box.home, "cam1"))
    page = visitor.socket()
    page.say(watch=look, tile=1, stream="sub")
    page.until(lambda: len(page.media(1)) > 3)
    page.say(watch=look, tile=1, stream="main")
    page.until(lambda: sum(b.kind == 1 for b in page.binaries) == 2)
    at = [n for n, b in enumerate(page.binaries) if b.kind == 1][1]
    page.until(lambda: len(page.binaries) > at + 10)
    assert [b.number for b in page.binaries[at + 1 : at + 4]] == [1, 2, 3]
    page.close()


def test_a_camera_that_is_lost_is_told_with_its_reason(
    box: PagedBox, visitor: Visitor, cameras: Cameras
) -> None:
    look = visitor.look(camera_id(box.home, "cam2"))
    page = visitor.socket()
    page.say(hold=[look])
    page.say(watch=look, tile=1, stream="sub")
    page.until(lambda: len(page.media(1)) > 3)
    cameras.server.take_down("cam2")
    try:
        told = page.until_text(event="camera", camera="cam2", state="waiting", stream="sub")
        page.until_text(tile=1, state="waiting", code="camera")
    finally:
        cameras.server.bring_back("cam2")
    assert told["gap_reason"] == "no video"
    assert told["id"] == camera_id(box.home, "cam2").hex()
    before = len(page.media(1))
    page.until_text(event="camera", camera="cam2", state="recording", stream="sub")
    page.until(lambda: len(page.media(1)) > before + 10)
    page.close()
    box.until_durable(0.5)


def test_a_session_that_is_signed_out_loses_its_socket(box: PagedBox, visitor: Visitor) -> None:
    look = visitor.look(camera_id(box.home, "cam1"))
    page = visitor.socket()
    page.say(watch=look, tile=1, stream="sub")
    page.until(lambda: len(page.media(1)) > 3)
    began = time.monotonic()
    visitor.sign_out()
    page.until(lambda: page.closed is not None)
    assert time.monotonic() - began < 15
    assert page.closed is not None
    assert page.closed[0] == 4401
    box.until_line(action="look end", result="signed out")


def test_a_look_that_is_ended_elsewhere_is_told(box: PagedBox, visitor: Visitor) -> None:
    look = visitor.look(camera_id(box.home, "cam1"))
    page = visitor.socket()
    page.say(hold=[look])
    page.say(watch=look, tile=1, stream="sub")
    page.until(lambda: len(page.media(1)) > 3)
    assert visitor.ask("DELETE", f"/api/v1/looks/{look}")[0] == 204
    page.until_text(look=look, state="ended")
    page.until_text(tile=1, state="ended", code="look")
    seen = len(page.media(1))
    time.sleep(0.5)
    while page.step(0.1):
        pass
    assert len(page.media(1)) == seen
    page.close()


def test_a_held_look_lives_and_one_that_nobody_holds_ends(box: PagedBox, visitor: Visitor) -> None:
    held, left = (visitor.look(camera_id(box.home, "cam1")) for _ in range(2))
    page = visitor.socket()
    page.say(hold=[held, left])
    page.say(hold=[held])
    page.until(lambda: open_looks(visitor) == {held})
    page.close()
    page.until(lambda: open_looks(visitor) == set(), 20)


def open_looks(visitor: Visitor) -> set[str]:
    looks = json.loads(visitor.ask("GET", "/api/v1/looks")[1])["looks"]
    return {look["look"] for look in looks}


def test_somebody_elses_look_is_not_watched_nor_held(box: PagedBox, visitor: Visitor) -> None:
    look = visitor.look(camera_id(box.home, "cam1"))
    other = Visitor(box)
    page = other.socket()
    page.say(hold=[look])
    page.until_text(look=look, state="ended", code="missing")
    page.say(watch=look, tile=1)
    page.until_text(tile=1, state="refused", code="missing")
    page.say(watch="0" * 32, tile=2)
    page.until_text(tile=2, state="refused", code="missing")
    assert page.binaries == []
    page.close()


def test_a_stored_look_shows_nothing_live(box: PagedBox, visitor: Visitor) -> None:
    now_ms = time.time_ns() // 1_000_000
    span = {"from": now_ms - 2000, "to": now_ms}
    look = visitor.look(camera_id(box.home, "cam1"), "stored", **span)
    page = visitor.socket()
    page.say(watch=look, tile=1)
    page.until_text(tile=1, state="refused", code="kind")
    assert page.binaries == []
    page.close()


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{}",
        "[]",
        "null",
        "{",
        '{"hold": "x"}',
        '{"watch": 1}',
        '{"watch": "x", "tile": 0}',
        '{"watch": "x", "tile": 256}',
        '{"watch": "x", "tile": 1e99}',
        '{"unwatch": "1"}',
        '{"sing": 1}',
        '{"hold": [' + ",".join(['"x"'] * 65) + "]}",
        "[" * 4000,
        b"\x00\xff",
    ],
)
def test_what_is_no_message_closes_the_socket(visitor: Visitor, message: str | bytes) -> None:
    page = visitor.socket()
    page.client.send(message)
    page.until(lambda: page.closed is not None)
    assert page.closed is not None
    assert page.closed[0] == 4422


def test_a_message_that_is_too_long_closes_the_socket(visitor: Visitor) -> None:
    page = visitor.socket()
    page.say(hold=["x" * 8000])
    page.until(lambda: page.closed is not None)


def test_a_flood_of_messages_closes_the_socket(visitor: Visitor) -> None:
    page = visitor.socket()
    with contextlib.suppress(OSError, ConnectionClosed):  # it may be closed meanwhile
        for _ in range(20_000):
            page.say(unwatch=1)
    page.until(lambda: page.closed is not None, 5)
    visitor.socket().close()


def test_no_socket_for_foreign_pages_or_without_a_session(box: PagedBox, visitor: Visitor) -> None:
    for origin in (
        "http://evil.example",
        "null",
        f"https://127.0.0.1:{box.port}",
        box.origin + "0",
    ):
        assert status_of(box, visitor.handshake(Origin=origin)) == 403
    assert status_of(box, visitor.handshake(Origin="")) == 403
    assert status_of(box, visitor.handshake(Cookie="")) == 401
    assert status_of(box, visitor.handshake(Cookie="vonggac=" + "x" * 43)) == 401
    assert status_of(box, visitor.handshake(Sec_WebSocket_Key="x")) == 400
    assert status_of(box, visitor.handshake(Sec_WebSocket_Version="8")) == 400
    assert status_of(box, visitor.handshake()) == 101


def status_of(box: PagedBox, request: bytes) -> int:
    with socket.create_connection(("127.0.0.1", box.port), 10) as sock:
        sock.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = sock.recv(4096)
            assert data, answer
            answer += data
        assert b"permessage-deflate" not in answer
        return int(answer.split()[1])


def test_a_browser_that_has_died_is_noticed(box: PagedBox, visitor: Visitor) -> None:
    """It neither closes nor answers: its machine lost its power."""
    look = visitor.look(camera_id(box.home, "cam1"))
    text = f'{{"hold": ["{look}"]}}'.encode()
    with socket.create_connection(("127.0.0.1", box.port), 10) as sock:
        sock.sendall(visitor.handshake())
        sock.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)  # masked with zeros
        began = time.monotonic()
        data = b"x"
        sock.settimeout(20)
        while data:  # its kernel still acknowledges, nobody answers
            data = sock.recv(4096)
        assert time.monotonic() - began < 15
    line = box.until_line(action="look end", result="nobody is there")
    assert line["delivered_ms"] == 0


def test_a_browser_that_stops_reading_is_let_go(box: PagedBox, visitor: Visitor) -> None:
    look = visitor.look(camera_id(box.home, "cam1"))
    text = f'{{"watch": "{look}", "tile": 1, "stream": "main"}}'.encode()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", box.port))
        sock.sendall(visitor.handshake())
        sock.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
        line = box.until_line(30, action="look end", result="nobody is there")
    assert line["delivered_ms"] < 20_000
