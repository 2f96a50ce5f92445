"""What stands before every view: nothing is answered to whoever has no business here."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from flask import Flask
from werkzeug.routing import Rule

from audit_rig import audit_run
from vonggac.registry.catalog import Catalog
from vonggac.registry.passwords import Hasher
from vonggac_appliance import config
from vonggac_appliance.accounts import Accounts, Caller
from vonggac_appliance.serve import SOCKET_PATH
from vonggac_appliance.serve_state import ServeState
from vonggac_appliance.services import Front, Services
from vonggac_web import guard
from vonggac_web.app import create_app
from web_rig import Browser, browser

HERE = Caller("192.168.1.7", "test")
PASSWORD = "trời mưa thì ướt sân 7"
HOUR_NS = 3600 * 1_000_000_000
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
ABSENT = cast("None", None)


@dataclass(slots=True)
class Hands:
    """A clock that the test moves."""

    ns: int = field(default_factory=time.time_ns)

    def __call__(self) -> int:
        return self.ns


@dataclass(slots=True)
class House:
    """Real accounts with one person, behind a page whose other services are never reached."""

    services: Services
    token: str
    clock: Hands


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("guard")
    clock = Hands()
    with audit_run(home), Catalog(home) as catalog, ServeState(home) as state:
        cheap = Hasher(time_cost=1, memory_kib=64)
        accounts = Accounts(home, catalog, state, clock=clock, hasher=cheap)
        token, _ = accounts.first_person(accounts.make_code(), "An", PASSWORD, HERE)
        yield House(_services(home, accounts), token, clock)


def _services(home: Path, accounts: Accounts, front: Front | None = None) -> Services:
    return Services(
        home=home,
        config=config.parse("", "empty"),
        accounts=accounts,
        looks=ABSENT,  # type: ignore[arg-type]  # a view that is reached fails loudly
        live=ABSENT,  # type: ignore[arg-type]
        cameras=ABSENT,  # type: ignore[arg-type]
        status=ABSENT,  # type: ignore[arg-type]
        alarms=ABSENT,  # type: ignore[arg-type]
        motion=ABSENT,  # type: ignore[arg-type]
        front=front or Front(),
    )


def _application() -> Flask:
    """For its url map alone."""
    return create_app(_services(Path("/nowhere"), cast(Accounts, None)))


def _path(rule: Rule) -> str:
    """A path that the rule matches."""
    plain = {"int": "1", "path": "a", "string": "a", "default": "0" * 32}
    return re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda m: plain[m[1] or "default"], rule.rule)


def _routes() -> list[tuple[str, str, bool]]:
    """Method, path and whether it is open, of every route there is."""
    app = _application()
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        is_open = rule.endpoint == "static" or getattr(view, guard.PUBLIC, False)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((method, _path(rule), bool(is_open)))
    return found


ROUTES = _routes()
CLOSED = [pytest.param(m, p, id=f"{m} {p}") for m, p, is_open in ROUTES if not is_open]


def _is_turned_away(client: Browser, method: str, path: str) -> bool:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"} if path == SOCKET_PATH else {}
    body = {} if method in UNSAFE else None
    answer = client.open(path, method=method, json=body, headers=headers)
    if path.startswith("/api/"):
        return answer.status_code == 401 and answer.json["error"]["code"] == "not-signed-in"
    return answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in")


def test_only_these_need_no_session() -> None:
    open_paths = {path for _, path, is_open in ROUTES if is_open}

    assert open_paths <= {
        "/sign-in", "/setup", "/join", "/language", "/static/a", "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    assert {"/sign-in", "/setup", "/join"} <= open_paths


def test_serve_lets_no_other_route_live_for_ever() -> None:
    sockets = [rule.rule for rule in _application().url_map.iter_rules() if rule.websocket]

    assert sockets == [SOCKET_PATH]


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_without_a_session_nothing_is_answered(house: House, method: str, path: str) -> None:
    assert _is_turned_away(browser(house.services), method, path)


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_a_forged_session_opens_nothing(house: House, method: str, path: str) -> None:
    forged = house.token[:-2] + ("AA" if not house.token.endswith("AA") else "BB")
    for token in (forged, "A" * 43, house.token + "=", "0", "../" + house.token, "\u00e9" * 43):
        assert _is_turned_away(browser(house.services, token), method, path), token


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_an_expired_session_opens_nothing(house: House, method: str, path: str) -> None:
    token, _ = house.services.accounts.sign_in("An", PASSWORD, HERE)
    house.clock.ns += HOUR_NS  # idle for longer than half an hour

    assert _is_turned_away(browser(house.services, token), method, path)


def test_a_session_that_was_signed_out_is_not_taken_again(house: House) -> None:
    token, _ = house.services.accounts.sign_in("An", PASSWORD, HERE)
    client = browser(house.services, token)
    assert client.get("/api/v1/openapi.json").status_code == 200
    assert client.post("/sign-out").status_code == 303
    replayed = browser(house.services, token)

    assert replayed.get("/api/v1/openapi.json").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="another-port-of-this-box"),
        pytest.param(
            {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
            id="origin-does-not-heal",
        ),
        pytest.param({"Sec-Fetch-Site": "", "Origin": "http://localhost"}, id="empty"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [(m, p) for m, p, _ in ROUTES if m in UNSAFE], ids=lambda value: str(value)
)
def test_another_site_changes_nothing(
    house: House, method: str, path: str, headers: dict[str, str]
) -> None:
    token, _ = house.services.accounts.sign_in("An", PASSWORD, HERE)
    answer = browser(house.services, token).open(path, method=method, headers=headers, json={})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost", 303),
        ("http://localhost:80", 403),
        ("https://localhost", 403),
        ("http://evil.example", 403),
        ("null", 403),
        (None, 403),
    ],
)
def test_an_old_browser_is_known_by_its_origin(
    house: House, origin: str | None, status: int
) -> None:
    client = create_app(house.services).test_client()  # says nothing of its own
    headers = {} if origin is None else {"Origin": origin}

    assert client.post("/language", data={"language": "en"}, headers=headers).status_code == status


def test_the_api_takes_json_alone(house: House) -> None:
    token, _ = house.services.accounts.sign_in("An", PASSWORD, HERE)
    client = browser(house.services, token)
    for path in {p for m, p, _ in ROUTES if m == "POST" and p.startswith("/api/")}:
        assert client.post(path, data={"camera": "x"}).status_code == 415
        assert client.post(path, data=b"{}", content_type="text/plain").status_code == 415


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 303),
        ("LOCALHOST:8080", 303),
        ("127.0.0.1:8080", 303),
        ("[::1]:8080", 303),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("localhost@evil.example", 400),
        ("", 400),
        ("[::1", 400),
    ],
)
def test_only_our_own_names_are_answered(house: House, host: str, status: int) -> None:
    # A foreign name that leads to this box (DNS rebinding) would be another page's own origin.
    assert browser(house.services).get("/", headers={"Host": host}).status_code == status


def test_with_tls_the_names_are_the_certificates(house: House) -> None:
    front = Front(is_tls=True, names=frozenset({"box.ward.vn", "*.lan", "192.168.1.10"}))
    client = browser(_services(house.services.home, house.services.accounts, front))

    for host in ("box.ward.vn:8443", "a.lan", "192.168.1.10"):
        assert client.get("/", headers={"Host": host}).status_code == 303
    for host in ("lan", "a.b.lan", "ward.vn", "192.168.1.11"):
        assert client.get("/", headers={"Host": host}).status_code == 400


def test_with_tls_the_cookie_is_the_hosts_own_and_secure(house: House) -> None:
    front = Front(is_tls=True, names=frozenset({"localhost"}))
    client = browser(_services(house.services.home, house.services.accounts, front))
    answer = client.post(
        "/sign-in", data={"name": "An", "password": PASSWORD}, base_url="https://localhost"
    )

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-vonggac=")
    words = {word.strip() for word in cookie.split(";")[1:]}
    assert words == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/nothing", "/api/nothing", "/static/style.css", "/language"]
)
def test_every_answer_keeps_foreign_script_out(house: House, path: str) -> None:
    with browser(house.services).get(path) as answer:
        headers = answer.headers

    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "media-src 'self' blob:; worker-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == ("no-cache" if "static" in path else "no-store")


@pytest.mark.parametrize(
    ("text", "onward"),
    [
        ("/cameras/0af?x=1", "/cameras/0af?x=1"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("", "/"),
    ],
)
def test_a_form_leads_on_to_our_own_pages_alone(house: House, text: str, onward: str) -> None:
    answer = browser(house.services).post("/language", data={"language": "en", "next": text})

    assert answer.headers["Location"] == onward


def test_a_body_beyond_any_form_is_not_read(house: House) -> None:
    answer = browser(house.services).post("/sign-in", data={"name": "x" * 100_000})

    assert answer.status_code == 413


def test_the_browser_is_named_in_one_short_line(house: House) -> None:
    app = create_app(house.services)
    with app.test_request_context(headers={"User-Agent": "Mozilla\x07\u202e" + "x" * 900}):
        device = guard.caller().device

    assert device == ("Mozilla" + "x" * 900)[:200]


def test_a_refused_request_leaves_a_line_in_the_journal(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """What was asked, and from where; of a flood only so much."""
    caplog.set_level("INFO", "vonggac.serve")

    began_s = time.monotonic()
    client = browser(house.services, "A" * 43)
    client.get("/api/v1/cameras")
    client.get("/nothing%0Ahere")

    forged, unknown = [record.message for record in caplog.records]
    assert "GET '/api/v1/cameras': 401 not-signed-in (session none, from 127.0.0.1)" in forged
    assert "\n" not in unknown and "404 missing" in unknown
    for _ in range(200):
        client.get("/nothing")
    # Fifty at once, and five for each second that it took.
    assert len(caplog.records) <= 50 + 5 * (time.monotonic() - began_s)
