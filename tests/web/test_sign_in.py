"""The forms of sign-in and setup, as a browser without script meets them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from werkzeug.test import TestResponse

from account_rig import NAME, PASSWORD, Office, closed_office, office
from audit_rig import audit_run
from vonggac.registry.people import Role
from vonggac_appliance import config
from vonggac_appliance.services import Front, Services
from web_rig import Browser, browser

ABSENT = cast("None", None)


def page_of(here: Office, front: Front | None = None) -> Browser:
    """A new browser of the page over real accounts; other services are never reached."""
    return browser(
        Services(
            home=here.home,
            config=config.parse("", "empty"),
            accounts=here.accounts,
            looks=ABSENT,  # type: ignore[arg-type]
            live=ABSENT,  # type: ignore[arg-type]
            cameras=ABSENT,  # type: ignore[arg-type]
            status=ABSENT,  # type: ignore[arg-type]
            alarms=ABSENT,  # type: ignore[arg-type]
            motion=ABSENT,  # type: ignore[arg-type]
            front=front or Front(),
        )
    )


@pytest.fixture
def here(home: Path) -> Iterator[Office]:
    with office(home) as made:
        yield made


@pytest.fixture
def page(here: Office) -> Browser:
    return page_of(here)


def enter(page: Browser, name: str = NAME, password: str = PASSWORD, **more: str) -> TestResponse:
    return page.post("/sign-in", data={"name": name, "password": password, **more})


def begin(page: Browser, code: str, /, **changes: str) -> TestResponse:
    form = {"code": code, "name": NAME, "password": PASSWORD, "again": PASSWORD}
    return page.post("/setup", data={**form, **changes})


def cookie_of(answer: TestResponse) -> str:
    (cookie,) = answer.headers.getlist("Set-Cookie")
    return cookie


def wrong_of(answer: TestResponse) -> str:
    """What the form says is wrong."""
    found = re.search(r'role="alert"[^>]*>([^<]*)<', answer.text)
    return found[1] if found else ""


# -- The first person --


def test_an_empty_box_leads_to_its_first_person(here: Office, page: Browser) -> None:
    for path in ("/", "/sign-in"):
        assert page.get(path).headers["Location"] == "/setup"
    assert page.get("/setup").status_code == 200
    answer = begin(page, here.accounts.make_code())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert page.get("/").headers["Location"] == "/cameras"
    assert page.get("/setup").headers["Location"] == "/sign-in"


def test_afterwards_nobody_is_the_first_any_more(here: Office, page: Browser) -> None:
    code = here.accounts.make_code()
    begin(page, code)
    answer = begin(page_of(here), code, name="Trần Thị Bình")
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert len(here.catalog.people()) == 1


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        pytest.param({"code": "AAAA-AAAA"}, "code", "Mã không đúng", id="code"),
        pytest.param({"code": ""}, "code", "Mã không đúng", id="no-code"),
        pytest.param({"name": " "}, "name", "Tên cần có", id="no-name"),
        pytest.param({"again": "khác hẳn"}, "again", "không giống nhau", id="typed-otherwise"),
        pytest.param(
            {"password": "Congan@123", "again": "Congan@123"},
            "password",
            "ai dò mật khẩu cũng thử",
            id="well-known",
        ),
        pytest.param(
            {"password": "tre xanh", "again": "tre xanh"}, "password", "ít nhất 12", id="short"
        ),
        pytest.param(
            {"password": "a ă â b" * 30, "again": "a ă â b" * 30},
            "password",
            "nhiều nhất 128",
            id="long",
        ),
        pytest.param(
            {"password": "kzkzkzkzkzkzkz", "again": "kzkzkzkzkzkzkz"},
            "password",
            "lặp lại",
            id="repeated",
        ),
        pytest.param(
            {"password": NAME + " 1990", "again": NAME + " 1990"},
            "password",
            "tên người",
            id="name",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    here: Office, page: Browser, changes: dict[str, str], field: str, words: str
) -> None:
    answer = begin(page, here.accounts.make_code(), **changes)
    assert answer.status_code == 422
    assert words in wrong_of(answer)
    assert f'id="{field}-wrong"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 1
    assert here.accounts.needs_setup()


def test_every_reason_has_its_words_in_both_languages(here: Office, page: Browser) -> None:
    page.post("/language", data={"language": "en", "next": "/setup"})
    answer = begin(page, here.accounts.make_code(), password="Congan@123", again="Congan@123")
    assert "every guesser" in wrong_of(answer)


def test_a_form_comes_back_with_what_was_typed_but_the_passwords(
    here: Office, page: Browser
) -> None:
    code = here.accounts.make_code()
    name = '<script>alert("An")</script>'
    answer = begin(page, code, name=name, password="mật khẩu nào đó", again="khác")
    assert code in answer.text
    assert name not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "mật khẩu nào đó" not in answer.text
    assert "khác" not in re.findall(r'value="([^"]*)"', answer.text)


def test_a_name_of_tags_and_quotes_is_text_everywhere(here: Office, page: Browser) -> None:
    name = "<b onclick='x'>\"An\" & co</b>"
    begin(page, here.accounts.make_code(), name=name)
    answer = page.get("/no-such-page")
    assert "<b onclick" not in answer.text
    assert "&lt;b onclick" in answer.text


# -- Those who come after --


def joins(page: Browser, code: str, name: str) -> TestResponse:
    form = {"code": code, "name": name, "password": PASSWORD, "again": PASSWORD}
    return page.post("/join", data=form)


def test_somebody_new_comes_in_with_a_code_of_that_name(here: Office, page: Browser) -> None:
    assert page.get("/join").headers["Location"] == "/setup"
    here.enrol()
    assert 'href="/join"' in page.get("/sign-in").text
    shown = page.get("/join").text
    assert "<h1>Người mới</h1>" in shown and 'action="/join"' in shown
    assert "setup-code" not in shown and 'href="/sign-in"' in shown

    code = here.accounts.make_person_code("Trần Thị Bình", Role.DETECTIVE, ())
    answer = joins(page, code, "Lê Văn Cường")
    assert (answer.status_code, 'action="/join"' in answer.text) == (422, True)
    assert "không phải của tên này" in wrong_of(answer)
    answer = joins(page, code, "trần thị bình")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert page.get("/").headers["Location"] == "/cameras"
    assert [row.role for row in here.catalog.people()] == [Role.COMMANDER, Role.DETECTIVE]


# -- Sign-in --


def test_whoever_signs_in_goes_on_where_he_wanted(here: Office, page: Browser) -> None:
    here.enrol()
    assert 'name="next" value="/status"' in page.get("/sign-in?next=%2Fstatus").text
    answer = enter(page, next="/status")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/status")
    assert page.get("/sign-in?next=/status").headers["Location"] == "/status"


@pytest.mark.parametrize(
    "onward",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "x", ""],
)
def test_nobody_is_sent_on_to_another_site(here: Office, page: Browser, onward: str) -> None:
    here.enrol()
    assert enter(page, next=onward).headers["Location"] == "/"
    assert page.get("/sign-in", query_string={"next": onward}).headers["Location"] == "/"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(here: Office, page: Browser) -> None:
    here.enrol()
    cookie = cookie_of(enter(page))
    assert re.fullmatch(r"vonggac=[\w-]{43}; HttpOnly; Path=/; SameSite=Lax", cookie)
    cookie = cookie_of(enter(page_of(here, Front(is_tls=True))))
    assert re.fullmatch(r"__Host-vonggac=[\w-]{43}; Secure; HttpOnly; Path=/; SameSite=Lax", cookie)


def test_each_sign_in_gives_a_new_token(here: Office, page: Browser) -> None:
    here.enrol()
    planted = "A" * 43
    page.set_cookie("vonggac", planted)
    tokens = {cookie_of(enter(page)), cookie_of(enter(page_of(here)))}
    assert len(tokens) == 2
    assert not any(planted in token for token in tokens)


def test_another_keyboard_types_the_same_password(here: Office, page: Browser) -> None:
    here.enrol()
    parts = [unicodedata.normalize("NFD", text) for text in (NAME, PASSWORD)]
    assert enter(page, *parts).status_code == 303


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"name": NAME, "password": "sai"}, id="wrong-password"),
        pytest.param({"name": "không ai", "password": PASSWORD}, id="unknown-name"),
        pytest.param({"name": NAME}, id="no-password"),
        pytest.param({}, id="nothing"),
        pytest.param({"name": "a" * 5000, "password": "b" * 5000}, id="long"),
        pytest.param({"name": ["a", NAME], "password": PASSWORD}, id="two-names"),
    ],
)
def test_a_wrong_sign_in_says_the_same_whatever_was_wrong(
    here: Office, page: Browser, form: dict[str, object]
) -> None:
    here.enrol()
    answer = page.post("/sign-in", data=form)
    assert answer.status_code == 401
    assert wrong_of(answer) == "Tên hoặc mật khẩu không đúng."
    assert "Set-Cookie" not in answer.headers
    assert page.get("/").headers["Location"] == "/sign-in"


def test_the_name_comes_back_and_the_password_does_not(here: Office, page: Browser) -> None:
    answer = enter(page, '"><script>', "bí mật của tôi")
    assert "bí mật của tôi" not in answer.text
    assert "<script>" not in answer.text.split("<main")[1]


def test_too_many_tries_are_told_how_long_to_wait(here: Office, page: Browser) -> None:
    here.enrol()
    for _ in range(3):
        assert enter(page, password="sai").status_code == 401
    here.time.pass_s(0.5)
    answer = enter(page)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert "sau 1 giây" in wrong_of(answer)
    here.time.pass_s(1)
    assert enter(page).status_code == 303


@pytest.mark.parametrize("path", ["/sign-in", "/setup"])
def test_while_the_chain_is_down_the_page_says_so(home: Path, path: str) -> None:
    with closed_office(home) as here:
        page = page_of(here)
        if path == "/setup":
            with audit_run(home):
                code = here.accounts.make_code()
            answer = begin(page, code)
        else:
            here.enrol()
            answer = enter(page)
        assert answer.status_code == 503
        assert "Nhật ký truy cập" in wrong_of(answer)
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/sign-in", "/setup", "/join", "/sign-out"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
    ids=["cross-site", "same-site", "posing"],
)
def test_another_sites_form_is_refused(
    here: Office, page: Browser, path: str, headers: dict[str, str]
) -> None:
    here.enrol()
    enter(page)
    assert page.post(path, data={"name": NAME}, headers=headers).status_code == 403
    assert page.get("/").headers["Location"] == "/cameras"


# -- Sign-out --


def test_signing_out_ends_the_session_and_forgets_the_cookie(here: Office, page: Browser) -> None:
    here.enrol()
    token = cookie_of(enter(page)).split(";")[0].removeprefix("vonggac=")
    answer = page.post("/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert "Max-Age=0" in cookie_of(answer)
    replayed = page_of(here)
    replayed.set_cookie("vonggac", token)
    assert replayed.get("/").headers["Location"] == "/sign-in"


def test_a_page_left_open_is_signed_out_although_it_asks(here: Office, page: Browser) -> None:
    here.enrol()
    enter(page)
    for minutes, headers in ((20, {}), (20, {"Vonggac-Poll": "1"})):
        here.time.pass_s(minutes * 60)
        assert page.get("/", headers=headers).headers["Location"] == "/cameras"
    here.time.pass_s(10 * 60)
    assert page.get("/").headers["Location"] == "/sign-in"


def test_a_link_signs_nobody_out(here: Office, page: Browser) -> None:
    here.enrol()
    enter(page)
    assert page.get("/sign-out").status_code == 405
    assert page.get("/").headers["Location"] == "/cameras"


def test_each_browser_is_its_own_session(here: Office) -> None:
    here.enrol()
    here.enrol("Trần Thị Bình", "tre xanh ru gió mát")
    first, second = page_of(here), page_of(here)
    enter(first)
    enter(second, "Trần Thị Bình", "tre xanh ru gió mát")
    assert NAME in first.get("/no-such-page").text
    assert "Trần Thị Bình" in second.get("/no-such-page").text
    first.post("/sign-out")
    assert second.get("/").headers["Location"] == "/cameras"
