"""Every request passes here: our own name, our own pages, a session. What is not public needs one.

Cross-site requests are told apart by what the browser says of itself (Sec-Fetch-Site, else Origin),
so no form carries a token. The headers that keep foreign script out are set on every answer.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote, urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from vonggac.errors import NotSignedIn, Refused, VonggacError
from vonggac_appliance.services import Services

if TYPE_CHECKING:
    from vonggac_appliance.accounts import Caller, Session

__all__ = [
    "CONTENT_POLICY",
    "POLL_HEADER",
    "PUBLIC",
    "caller",
    "forget_session",
    "install",
    "is_api",
    "is_from_ourselves",
    "keep_session",
    "local_path",
    "public",
    "session",
    "session_or_none",
    "token",
]

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; worker-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers older than frame-ancestors
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
}
POLL_HEADER = "Vonggac-Poll"
"""On what a page asks by itself again and again: else one left open would never be idle."""
PUBLIC = "is_public"
"""The attribute of a view that needs no session."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})
_DEVICE_CHARS_MAX = 200
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,128}")

_View = TypeVar("_View", bound=Callable[..., Any])
_Response = TypeVar("_Response", bound=AnyResponse)


def public(view: _View) -> _View:
    """Mark a view that needs no session: sign-in, setup, health. Everything else does."""
    setattr(view, PUBLIC, True)
    return view


def install(app: Flask) -> None:
    """Put the guard before every view and its headers on every answer."""
    app.before_request(_check)
    app.after_request(_harden)
    app.jinja_env.globals.update(signed_in=_signed_in, path_now=_path_now)


def is_api() -> bool:
    """Whether a program asks: it gets JSON, never a page or a redirect to one."""
    return request.path.startswith("/api/")


def session() -> Session:
    """Whose request this is. Raises NotSignedIn where a public view asks without one."""
    found = session_or_none()
    if found is None:
        raise NotSignedIn("sign in first")
    return found


def session_or_none() -> Session | None:
    """As `session`, but None where nobody is signed in; looked up once a request."""
    if "session" not in g:
        try:
            is_asked_by_itself = POLL_HEADER in request.headers
            g.session = _services().accounts.session(token(), moves=not is_asked_by_itself)
        except NotSignedIn:
            g.session = None
    return cast("Session | None", g.session)


def caller() -> Caller:
    """Where the request comes from, for the audit chain. A proxy's word is not believed."""
    from vonggac_appliance.accounts import Caller

    agent = request.headers.get("User-Agent", "")
    device = "".join(char for char in agent if char.isprintable())[:_DEVICE_CHARS_MAX]
    return Caller(address=request.remote_addr or "", device=device)


def token() -> str:
    """The session's secret as the browser sent it. Raises NotSignedIn without one."""
    found = request.cookies.get(_cookie(), "")
    if not _TOKEN.fullmatch(found):
        raise NotSignedIn("sign in first")
    return found


def keep_session(response: _Response, secret: str) -> _Response:
    """Let the browser keep `secret` until it is closed; the end is the server's to decide."""
    response.set_cookie(
        _cookie(), secret, secure=_services().front.is_tls, httponly=True, samesite="Lax", path="/"
    )
    return response


def forget_session(response: _Response) -> _Response:
    """Take the session's cookie out of the browser."""
    response.delete_cookie(
        _cookie(), secure=_services().front.is_tls, httponly=True, samesite="Lax", path="/"
    )
    return response


def local_path(text: str) -> str:
    """`text` if it is a path of ours to go on to, else the start page."""
    parts = urlsplit(text)
    is_ours = not parts.scheme and not parts.netloc and re.fullmatch(r"/[\w./?=&%-]*", text)
    return text if is_ours and not text.startswith("//") else "/"


def is_from_ourselves() -> bool:
    """Whether the request was made by one of our own pages (or typed in by a person)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in _OWN_SITES
    origin = request.headers.get("Origin")
    return origin is not None and secrets.compare_digest(origin.encode(), _origin().encode())


def _origin() -> str:
    return f"{'https' if _services().front.is_tls else 'http'}://{request.host}"


def _services() -> Services:
    return cast(Services, current_app.extensions["vonggac"])


def _cookie() -> str:
    return "__Host-vonggac" if _services().front.is_tls else "vonggac"


def _check() -> AnyResponse | None:
    if not _services().front.has(_host_name()):
        abort(400, "this box is not known by that name")
    if request.url_rule is None:
        return None  # unknown: 404, whoever asks
    if request.method not in _SAFE:
        if not is_from_ourselves():
            raise Refused("the request does not come from a page of this box")
        if is_api() and request.content_length not in (None, 0) and not request.is_json:
            abort(415, "the body of a request is JSON")
    view = current_app.view_functions[request.endpoint or ""]
    if getattr(view, PUBLIC, False) or request.endpoint == "static":
        return None
    if session_or_none() is None:
        if is_api() or not _is_navigation():
            raise NotSignedIn("sign in first")
        return redirect(_way_in(), 303)
    return None


def _is_navigation() -> bool:
    """A page that a person opens, or a form that one sends; not what a page loads by itself."""
    return request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def _way_in() -> str:
    if _services().accounts.needs_setup():
        return "/setup"
    if request.method not in _SAFE or request.path == "/":
        return "/sign-in"
    return f"/sign-in?next={quote(request.full_path.rstrip('?'), safe='')}"


def _signed_in() -> Session | None:
    """For a page's head, which has to appear when the sessions cannot be read, too."""
    try:
        return session_or_none()
    except VonggacError:
        return None


def _path_now() -> str:
    """Where to come back to after a form in a page's head."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def _host_name() -> str:
    """The Host header without its port; an IPv6 address without its brackets."""
    host = request.headers.get("Host", "")
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::\d{1,5})?", host)
    return (match[1] or match[2]) if match else ""


def _harden(response: Response) -> Response:
    response.headers.extend(_HEADERS)  # no view sets one of these
    # Pages name cameras and people: nothing of them stays in a shared machine's cache.
    response.headers.setdefault("Cache-Control", "no-store")
    return response
