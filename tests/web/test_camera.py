"""The page of one camera, as it is sent: what it asks, what it names, what it does not offer."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import render_template

from audit_rig import audit_run
from vonggac.ingest.sound import SoundState
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.passwords import Hasher
from vonggac.registry.people import Account, PurposeCode, Role
from vonggac_appliance import config
from vonggac_appliance.accounts import Caller
from vonggac_appliance.bus_control import CameraLearnt, SoundStatus
from vonggac_appliance.services import Front, open_services
from vonggac_web.camera import PURPOSES
from vonggac_web.texts import load
from web_rig import Browser, browser

PASSWORD = "trời mưa thì ướt sân 7"
STRANGE = "</script><b onclick='x'>\"&"
OWN, FOREIGN = os.urandom(16), os.urandom(16)


@dataclass(slots=True)
class Room:
    """A box that records nothing, seen by its commander and by an officer of another area."""

    commander: Browser
    officer: Browser


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    home = tmp_path_factory.mktemp("camera") / "home"
    home.mkdir(mode=0o750)
    with Catalog(home) as catalog:
        for camera_id, code, area in ((OWN, STRANGE, "Tổ 3"), (FOREIGN, "cam2", "Tổ 7")):
            urls = [f"rtsp://127.0.0.1/{camera_id.hex()}/{name}" for name in ("main", "sub")]
            streams = tuple(Stream(os.urandom(16), url.rpartition("/")[2], url) for url in urls)
            kind, point = OwnerKind.STATE, code if code == STRANGE else ""
            row = Camera(camera_id, code, streams, 0, point=point, area=area, owner_kind=kind)
            catalog.add_camera(row)
        kept = Hasher(time_cost=1, memory_kib=64).hash(PASSWORD)
        for name, role in (("An", Role.COMMANDER), (STRANGE, Role.AREA_OFFICER)):
            catalog.add_account(
                Account(os.urandom(16), name, role, kept, time.time_ns(), ("Tổ 3",))
            )
    with audit_run(home):
        services = open_services(home, config.parse("", "empty"), Front())
        here = Caller("127.0.0.1", "test")
        tokens = [services.accounts.sign_in(name, PASSWORD, here)[0] for name in ("An", STRANGE)]
        yield Room(*(browser(services, token) for token in tokens))
        services.close()


def page(client: Browser, camera: bytes) -> str:
    answer = client.get(f"/cameras/{camera.hex()}")
    assert answer.status_code == 200
    text: str = answer.text
    return text


def test_the_purposes_are_the_closed_list_in_both_languages(room: Room) -> None:
    text = page(room.commander, OWN)

    offered = re.findall(r'name="code" value="([^"]*)"', text)

    assert offered == [code.value for code in PurposeCode]
    for language in ("vi", "en"):
        assert all(load(language)[key] for _, key in PURPOSES)
    assert "checked" not in text, "nobody's purpose is chosen for him"


def test_names_with_tags_and_quotes_stay_text(room: Room) -> None:
    text = page(room.officer, OWN)

    assert STRANGE not in text
    assert text.count("&lt;/script&gt;&lt;b onclick=&#39;x&#39;&gt;&#34;&amp;") >= 4


def test_nothing_of_it_is_inline_and_nothing_is_offered_to_save(room: Room) -> None:
    text = page(room.commander, FOREIGN)

    assert not re.search(r"<style|\sstyle=|\son\w+=", text)
    for script in re.findall(r"<script([^>]*)>", text):
        assert "src=" in script or 'type="application/json"' in script
    assert not re.search(r"download|<a [^>]*\.mp4", text)


def test_who_looks_stands_over_the_picture(room: Room) -> None:
    assert re.search(r'class="trace"[^>]*><span>An</span>', page(room.commander, OWN))


def test_the_page_names_the_random_id_and_no_address_of_the_camera(room: Room) -> None:
    text = page(room.commander, FOREIGN)

    assert f'data-camera="{FOREIGN.hex()}"' in text
    assert "rtsp:" not in text and "127.0.0.1" not in text


def test_what_is_known_of_its_connections_stands_there(room: Room) -> None:
    words = load("vi")
    text = page(room.commander, OWN)
    assert words["camera.learnt"] in text
    assert text.count(words["learnt.usual"]) == 5  # no recorder has said anything


def test_what_becomes_of_its_sound_has_words_in_both_languages() -> None:
    for language in ("vi", "en"):
        words = load(language)
        assert len({words[f"sound.{state}"] for state in SoundState}) == len(SoundState)


def test_a_camera_that_grants_sound_and_sends_none_says_so_on_its_page(room: Room) -> None:
    silent = SoundStatus("silent", "pcma", frames=0, packets_lost=3)
    words = load("vi")
    with room.commander.application.test_request_context():
        text = render_template(
            "camera.html",
            camera=Camera(OWN, "nha12", (Stream(b"s" * 16, "main", ""),), 0),
            learnt=CameraLearnt(),
            sounds={"main": silent, "sub": SoundStatus("recorded", "aac", frames=12345)},
            troubles=[],
            viewer="An",
            purposes=PURPOSES,
        )
    assert text.count(words["sound.silent"]) == 2
    assert re.search(rf'class="note warn">[^<]*: {words["sound.silent"]}', text)
    assert text.count(words["sound.recorded"]) == 1
    assert "12.345 khung, mất 0 gói" in text


@pytest.mark.parametrize("path", ["0" * 32, "cam2", "..%2f" * 4, "A" * 32, "%00", "0" * 33])
def test_a_camera_that_is_none_has_no_page(room: Room, path: str) -> None:
    assert room.commander.get(f"/cameras/{path}").status_code in (404, 422)


def test_another_areas_camera_is_no_camera_of_this_officer(room: Room) -> None:
    unknown = os.urandom(16).hex()
    answers = [room.officer.get(f"/cameras/{camera}") for camera in (unknown, FOREIGN.hex())]

    assert [answer.status_code for answer in answers] == [404, 404]
    # But for where the change of language leads back to.
    assert answers[0].text.replace(unknown, "") == answers[1].text.replace(FOREIGN.hex(), "")


def test_without_a_session_there_is_no_page(room: Room) -> None:
    room.officer.delete_cookie("vonggac")
    answer = room.officer.get(f"/cameras/{OWN.hex()}")
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in?next=")
