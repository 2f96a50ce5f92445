"""The list of cameras, the state of the box and its figures, as a browser and programs get them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit_rig import audit_run
from box_rig import DEADLINE_S, Box, Cameras
from vonggac.ingest.states import State
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.passwords import Hasher
from vonggac.registry.people import Account, Role
from vonggac_appliance import config
from vonggac_appliance.accounts import Caller
from vonggac_appliance.services import Front, Services, open_services
from vonggac_web.app import create_app
from web_rig import Browser, browser

HERE = Caller("127.0.0.1", "test")
PASSWORD = "trời mưa thì ướt sân 7"
S = 1_000_000_000
STRANGE = "</script><b onclick='x'>\"&"


@dataclass(slots=True)
class Page:
    """Real services behind a browser that is signed in as the commander."""

    services: Services
    browser: Browser

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        answer = self.browser.get(path, **more)
        assert answer.status_code == status, (path, answer.text)
        return answer

    def cameras(self) -> dict[str, Any]:
        return {camera["code"]: camera for camera in self.get("/api/v1/cameras").json["cameras"]}

    def until(self, is_so: Callable[[], bool]) -> None:
        until_s = time.monotonic() + DEADLINE_S
        while not is_so():
            assert time.monotonic() < until_s
            time.sleep(0.1)  # the page is asked again, as a browser does


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Two cameras being recorded; «Tổ 3» has the first. Its people: An commands, Bình has tổ 3."""
    served = Cameras()
    made = Box(tmp_path_factory.mktemp("page") / "home")
    for name in served.names:
        made.add(served, name, "--point", f"ngã ba Đội Cấn {STRANGE}")
    with Catalog(made.home) as catalog:
        camera = catalog.camera("cam1")
        assert camera is not None
        catalog.change_camera(msgspec.structs.replace(camera, area="Tổ 3"))
        kept = Hasher(time_cost=1, memory_kib=64).hash(PASSWORD)
        for name, role in (("An", Role.COMMANDER), ("Bình", Role.AREA_OFFICER)):
            row = Account(os.urandom(16), name, role, kept, time.time_ns(), ("Tổ 3",))
            catalog.add_account(row)
    with audit_run(made.home), made.running():
        made.until_durable(2)
        yield made
    served.stop()
    made.discard()


def signed_in(services: Services, name: str) -> Page:
    token, _ = services.accounts.sign_in(name, PASSWORD, HERE)
    return Page(services, browser(services, token))


@pytest.fixture(scope="module")
def page(services: Services) -> Page:
    return signed_in(services, "An")


@pytest.fixture(scope="module")
def officer(services: Services) -> Page:
    return signed_in(services, "Bình")


# -- The list --


def test_the_list_says_what_each_camera_does(page: Page) -> None:
    page.until(lambda: page.cameras()["cam1"]["streams"][0]["frames_per_s"] is not None)
    told = page.get("/api/v1/cameras").json
    assert told["is_recorder_answering"] and told["recorder_seen_ms"] > 0
    assert told["counts"] == {"cameras": 2, "recording": 2, "not_recording": 0, "red": 0}
    row = told["cameras"][0]
    assert (row["code"], row["state"], row["gap_reason"]) == ("cam1", "recording", None)
    main = row["streams"][0]
    assert (main["name"], main["codec"]) == ("main", "h264")
    assert main["width_px"] > 0 and main["bits_per_s"] > 0
    assert abs(main["durable_until_ms"] - told["at_ms"]) < 10_000
    assert row["day"]["ranges"] and row["day"]["to"] - row["day"]["from"] == 86_400_000


def test_the_page_works_without_script(page: Page) -> None:
    page.until(lambda: page.cameras()["cam2"]["streams"][0]["frames_per_s"] is not None)
    html = page.get("/cameras").text
    for text in ("cam1", "cam2", "đang ghi", "H.264", "hình/giây", "Tổ 3", "bit/s"):
        assert text in html, text
    assert html.count('<svg class="day-bar"') == 2 and 'class="recorded"' in html
    assert 'data-count="recording">2<' in html
    assert "style=" not in html and "onclick='" not in html


def test_names_with_tags_and_quotes_stay_text(page: Page) -> None:
    html = page.get("/cameras").text
    assert STRANGE not in html
    assert html.count("&lt;/script&gt;&lt;b onclick=&#39;x&#39;&gt;&#34;&amp;") == 4
    assert page.cameras()["cam1"]["point"].endswith(STRANGE)


@pytest.mark.parametrize(
    ("wanted", "codes"),
    [
        pytest.param("doi can", ["cam1", "cam2"], id="without-diacritics"),
        pytest.param("TO 3", ["cam1"], id="area"),
        pytest.param("cam2", ["cam2"], id="code"),
        pytest.param("<script>", [], id="nothing"),
    ],
)
def test_the_filter_works_without_script(page: Page, wanted: str, codes: list[str]) -> None:
    html = page.get("/cameras", query_string={"q": wanted, "sort": "code"}).text
    rows = re.findall(r'<tr [^>]*data-code="(\w+)"[^>]*?( hidden)?>', html)
    assert [code for code, hidden in rows if not hidden] == codes
    assert ('id="nothing" hidden' in html) is bool(codes)
    assert 'data-count="recording">2<' in html  # counts are of everything


def test_a_language_changes_every_word(page: Page) -> None:
    page.browser.set_cookie("lang", "en")
    html = page.get("/cameras").text + page.get("/status").text
    page.browser.delete_cookie("lang")
    for text in ("recording", "Last 24 hours", "fps", "The box&#39;s clock", "Oldest footage"):
        assert text in html, text
    assert "đang" not in html.replace("Đăng", "")


def test_an_area_officer_learns_nothing_of_other_areas(page: Page, officer: Page) -> None:
    other = page.cameras()["cam2"]["id"]
    told = officer.get("/api/v1/cameras").json
    assert [camera["code"] for camera in told["cameras"]] == ["cam1"]
    assert told["counts"]["cameras"] == 1
    assert officer.get("/api/v1/status").json["counts"]["cameras"] == 1
    for path in ("/cameras", "/status", "/api/v1/status"):
        assert "cam2" not in officer.get(path).text
    question = {"stream": "main", "from": 0, "to": 1000}
    known = officer.get(f"/api/v1/cameras/{other}/timeline", 404, query_string=question).json
    nothing = os.urandom(16).hex()
    guessed = officer.get(f"/api/v1/cameras/{nothing}/timeline", 404, query_string=question).json
    assert known == guessed


def test_there_is_a_still_only_within_a_look(page: Page) -> None:
    camera = page.cameras()["cam1"]
    assert camera["still"] is None
    assert "<video" not in page.get("/cameras").text
    ask = {
        "camera": camera["id"],
        "kind": "stored",
        "from": camera["streams"][0]["durable_until_ms"] - 60_000,
        "to": camera["streams"][0]["durable_until_ms"] + 1,
        "purpose": {"code": "hình sự", "text": "2026/17"},
    }
    look = page.browser.post("/api/v1/looks", json=ask)
    assert look.status_code == 201, look.text
    try:
        still = page.cameras()["cam1"]["still"]
        picture = page.get(still)
        assert picture.mimetype == "video/mp4" and picture.data[4:8] == b"ftyp"
        html = page.get("/cameras").text
        assert html.count("<video") == 1 and look.json["look"] in html
    finally:
        page.browser.delete(f"/api/v1/looks/{look.json['look']}")
    assert page.cameras()["cam1"]["still"] is None


# -- The timeline --


def test_a_timeline_has_ranges_and_how_far_it_is_safe(page: Page) -> None:
    camera = page.cameras()["cam1"]["id"]
    now_ms = time.time_ns() // 1_000_000
    path = f"/api/v1/cameras/{camera}/timeline?stream=sub&from={now_ms - 60_000}&to={now_ms}"
    line = page.get(path + "&pixels=600").json
    assert (line["from"], line["to"]) == (now_ms - 60_000, now_ms)
    assert line["ranges"] and line["durable_until"] > now_ms - 10_000
    assert line["ranges"][-1][1] <= now_ms
    assert page.get(f"{path}&pixels=1").json["ranges"][0][1] > 0


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        pytest.param("from=0", 422, "to", id="no-end"),
        pytest.param("from=0&to=now", 422, "to", id="no-number"),
        pytest.param("from=5&to=5", 422, "to", id="empty"),
        pytest.param("from=9&to=5", 422, "to", id="reversed"),
        pytest.param("from=0&to=" + "9" * 30, 422, "to", id="enormous"),
        pytest.param("from=0&to=1795314442849", 422, "from", id="fifty-years"),
        pytest.param("from=-5&to=5&pixels=0", 422, "pixels", id="no-pixels"),
        pytest.param("from=-5&to=5&pixels=-7", 422, "pixels", id="negative-pixels"),
        pytest.param("from=0&to=٣", 422, "to", id="arabic-digits"),
        pytest.param("from=0&to=5&stream=../main", 404, None, id="no-such-stream"),
    ],
)
def test_a_question_that_is_none_names_its_field(
    page: Page, query: str, status: int, field: str | None
) -> None:
    camera = page.cameras()["cam1"]["id"]
    error = page.get(f"/api/v1/cameras/{camera}/timeline?{query}", status).json["error"]
    assert error.get("field") == field


@pytest.mark.parametrize("camera", ["cam1", "0" * 31, "0" * 32, "G" * 32, "A" * 32, "%2e%2e"])
def test_a_camera_that_there_is_not_has_no_timeline(page: Page, camera: str) -> None:
    path = f"/api/v1/cameras/{camera}/timeline?from=0&to=5"
    answer = page.browser.get(path)
    assert answer.status_code in (404, 422)


# -- The box --


def test_the_status_page_says_how_the_box_is(page: Page) -> None:
    page.until(lambda: bool(page.get("/api/v1/status").json["audit"]["lines"]))
    told = page.get("/api/v1/status").json
    (disk,) = told["disks"]
    assert disk["state"] == "recording" and disk["free_bytes"] > 0
    assert 1000 < told["loss_bound_ms"] < 10_000
    assert told["audit"]["is_open"] and len(told["audit"]["head"]) == 64
    roles = {process["role"] for process in told["processes"]}
    assert roles == {"serve", "record", "loop", "keeper", "audit"}
    html = page.get("/status").text
    for text in ("Ổ đĩa", "Còn trống", "Mất điện lúc này", "Độ lệch giờ", told["audit"]["head"]):
        assert text in html, text
    assert "style=" not in html
    page.until(lambda: "Số ngày đã hứa" in page.get("/status").text)


def test_locked_footage_is_listed_for_whom_may_know_of_its_camera(
    box: Box, page: Page, officer: Page
) -> None:
    review = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    words = ("--case", "vụ 2026/17", "--officer", "Trần Thị Chi", "--reason", "trộm")
    for code in ("cam1", "cam2"):
        span = ("--from", "-1m", "--to", "now")
        box.run("lock", "add", code, *span, *words, "--review", review)
    told = page.get("/api/v1/status").json["locks"]
    assert [(lock["lock"], lock["camera"], lock["case"]) for lock in told] == [
        (1, "cam1", "vụ 2026/17"),
        (2, "cam2", "vụ 2026/17"),
    ]
    assert [lock["camera"] for lock in officer.get("/api/v1/status").json["locks"]] == ["cam1"]
    assert "cam2" not in officer.get("/status").text
    html = page.get("/status").text
    for text in ("Hình đang được khóa giữ", "Trần Thị Chi", "Xem xét lại", "Đang khóa giữ"):
        assert text in html, text
    page.until(lambda: bool(page.get("/api/v1/status").json["disks"][0]["pinned_bytes"]))


def test_health_needs_no_session_and_readiness_says_who_is_missing(
    services: Services, page: Page
) -> None:
    stranger = browser(services)
    assert stranger.get("/healthz").data == b"ok\n"
    page.until(lambda: bool(stranger.get("/readyz").status_code == 200))
    assert stranger.get("/readyz").data == b"ready\n"


def test_figures_are_for_the_box_itself(services: Services) -> None:
    stranger = browser(services)
    answer = stranger.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"})
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert 'vonggac_camera_up{camera="cam1",stream="main"} 1' in answer.text
    assert "vonggac_login_failures_total 0" in answer.text
    wrong = {"name": "An", "password": "con ngựa đúng pin ghim"}
    assert stranger.post("/sign-in", data=wrong).status_code >= 400
    again = stranger.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text
    assert "vonggac_login_failures_total 1" in again
    assert "vonggac_http_request_duration_seconds_count 2" in again
    for address in ("192.168.1.9", "::ffff:192.168.1.9", "", "fe80::1%eth0", "nonsense"):
        refused = stranger.get("/metrics", environ_base={"REMOTE_ADDR": address})
        assert refused.status_code == 403 and "vonggac_camera" not in refused.text
    mapped = stranger.get("/metrics", environ_base={"REMOTE_ADDR": "::ffff:127.0.0.1"})
    assert mapped.status_code == 200


def test_networks_of_the_configuration_may_measure(box: Box, services: Services) -> None:
    text = '[serve]\nmetrics_networks = ["192.168.1.0/24"]\n'
    client = browser(replace(services, config=config.parse(text, "test")))
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "192.168.1.9"}).status_code == 200
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/cameras",
        "/status",
        "/api/v1/cameras",
        "/api/v1/status",
        f"/api/v1/cameras/{'0' * 32}/timeline?from=0&to=1",
    ],
)
def test_strangers_learn_nothing(services: Services, path: str) -> None:
    answer = browser(services).get(path)
    assert answer.status_code == (401 if path.startswith("/api") else 303)
    assert "cam1" not in answer.text


# -- Many --


def test_512_cameras_with_strange_names_come_fast(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Catalog(home) as catalog:
        for number in range(512):
            streams = tuple(Stream(os.urandom(16), n, "rtsp://x/") for n in ("main", "sub"))
            kind = OwnerKind.UNCLASSIFIED if number % 2 else OwnerKind.STATE
            code = f"{STRANGE}{number:03}"
            catalog.add_camera(Camera(os.urandom(16), code, streams, 0, owner_kind=kind))
        kept = Hasher(time_cost=1, memory_kib=64).hash(PASSWORD)
        row = Account(os.urandom(16), "An", Role.COMMANDER, kept, time.time_ns())
        catalog.add_account(row)
    with audit_run(home):
        opened = open_services(home, config.parse("", "empty"), Front())
        page = signed_in(opened, "An")
        page.get("/cameras")
        took_ms = {}
        for path in ("/cameras", "/api/v1/cameras"):
            begun_s = time.thread_time()  # what others take of a core is not ours
            answer = page.get(path)
            took_ms[path] = (time.thread_time() - begun_s) * 1000
            assert STRANGE not in answer.text
        assert answer.json["counts"]["red"] == 256
        assert answer.json["is_recorder_answering"] is False
        assert answer.json["cameras"][0]["state"] == "stopped"
        opened.close()
    with capsys.disabled():
        print("", {path: f"{ms:.0f} ms" for path, ms in took_ms.items()}, end="")
    assert max(took_ms.values()) < 1000


def test_without_a_recorder_the_page_says_so(home: Path) -> None:
    with Catalog(home) as catalog:
        stream = Stream(os.urandom(16), "main", "rtsp://x/")
        catalog.add_camera(Camera(os.urandom(16), "cam1", (stream,), 0))
        kept = Hasher(time_cost=1, memory_kib=64).hash(PASSWORD)
        row = Account(os.urandom(16), "An", Role.COMMANDER, kept, time.time_ns())
        catalog.add_account(row)
    with audit_run(home):
        opened = open_services(home, config.parse("", "empty"), Front())
        page = signed_in(opened, "An")
        html = page.get("/cameras").text
        assert "Máy ghi không trả lời" in html and "chưa phân loại" in html
        assert page.get("/readyz", 503).data == b"recorder\n"
        camera = page.cameras()["cam1"]["id"]
        answer = page.get(f"/api/v1/cameras/{camera}/timeline?from=0&to=5", 503)
        assert answer.json["error"]["code"] == "unavailable"
        opened.close()


def test_words_of_a_newer_recorder_stay_as_they_are(services: Services) -> None:
    app = create_app(services)
    filters = app.jinja_env.filters
    with app.test_request_context("/"):
        assert filters["gap_words"]("too shy") == "too shy"
        assert filters["state_words"]("dreaming") == "dreaming"
        assert filters["state_mark"]("dreaming") == "bad"
        assert filters["disk_words"]("spinning up") == "spinning up"
        assert filters["gap_words"](250) == filters["gap_words"](0) == "không rõ lý do"
        for reason in GapReason:
            assert filters["gap_words"](int(reason)) == filters["gap_words"](reason.words)
            assert filters["gap_words"](reason.words) != reason.words
        for state in State:
            assert filters["state_words"](state) != state.value


@pytest.mark.parametrize(
    ("seconds", "vi", "en"),
    [
        pytest.param(0, "0 giây", "0 s", id="nothing"),
        pytest.param(59.4, "59 giây", "59 s", id="seconds"),
        pytest.param(3599, "59 phút", "59 min", id="minutes"),
        pytest.param(7260, "2 giờ 1 phút", "2 h 1 min", id="hours"),
        pytest.param(2 * 86_400, "2 ngày", "2 days", id="days"),
        pytest.param(1234 * 86_400.0, "1.234 ngày", "1,234 days", id="years"),
    ],
)
def test_lengths_of_time_have_two_units_at_most(
    services: Services, seconds: float, vi: str, en: str
) -> None:
    app = create_app(services)
    for language, words in (("vi", vi), ("en", en)):
        with app.test_request_context("/", headers={"Cookie": f"lang={language}"}):
            assert app.jinja_env.filters["how_long"](seconds) == words
