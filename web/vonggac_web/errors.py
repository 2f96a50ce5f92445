"""Errors as answers: a status, and a stable word that the page has its own text for."""

from __future__ import annotations

import logging
import math
from typing import cast

from flask import Flask, Response, current_app, jsonify, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from vonggac.errors import (
    Gone,
    Invalid,
    Missing,
    NotSignedIn,
    Refused,
    StorageError,
    TooMany,
    Unavailable,
    VonggacError,
)
from vonggac_web import guard
from vonggac_web.refusals import Refusals

__all__ = ["CODES", "code_and_status", "install"]

_log = logging.getLogger("vonggac.serve")
_REFUSALS = "vonggac-refusals"

# The nearest ancestor counts.
_ANSWERS: dict[type[VonggacError], tuple[str, int]] = {
    Invalid: ("invalid", 422),
    Missing: ("missing", 404),
    Gone: ("gone", 410),
    NotSignedIn: ("not-signed-in", 401),
    TooMany: ("too-many", 429),
    Refused: ("refused", 403),
    Unavailable: ("unavailable", 503),
    StorageError: ("unavailable", 503),
}
_OF_STATUS = {
    401: "not-signed-in",
    403: "refused",
    404: "missing",
    410: "gone",
    422: "invalid",
    429: "too-many",
    503: "unavailable",
}
CODES = (*dict.fromkeys(code for code, _ in _ANSWERS.values()), "malformed", "failed")
"""Every word that an answer may carry; `failed` is our own mistake."""


def install(app: Flask) -> None:
    """Answer every error of ours, of HTTP, and those that nobody foresaw."""
    app.extensions[_REFUSALS] = Refusals()
    app.register_error_handler(VonggacError, _foreseen)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unforeseen)


def code_and_status(error: VonggacError) -> tuple[str, int]:
    """The word and the HTTP status of an error; for the socket too."""
    for kind in type(error).__mro__:
        if kind in _ANSWERS:
            return _ANSWERS[kind]
    return "failed", 500


def _foreseen(error: VonggacError) -> AnyResponse:
    code, status = code_and_status(error)
    if status == 500:
        return _unforeseen(error)
    if status == 503:
        _log.warning("%s %s: %s", request.method, request.path, error)
    else:
        _refusals().note(code, status)
    if isinstance(error, NotSignedIn) and not guard.is_api() and request.method == "GET":
        return redirect("/sign-in", 303)
    response = _answer(code, str(error), status, getattr(error, "field", None))
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    return response


def _of_http(error: HTTPException) -> AnyResponse:
    status = error.code or 500
    if error.response is not None or status < 400:
        return AnyResponse.force_type(error.get_response(request.environ))
    code = _OF_STATUS.get(status, "malformed" if status < 500 else "failed")
    if status < 500:
        _refusals().note(code, status)
    response = _answer(code, error.description or error.name, status, None)
    for name, value in error.get_headers(request.environ):
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _refusals() -> Refusals:
    return cast(Refusals, current_app.extensions[_REFUSALS])


def _unforeseen(error: Exception) -> AnyResponse:
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _answer("failed", "something here is broken; the box has noted it", 500, None)


def _answer(code: str, what: str, status: int, field: str | None) -> Response:
    if guard.is_api():
        facts = {"code": code, "what": what} | ({} if field is None else {"field": field})
        response = jsonify({"error": facts})
    else:
        response = Response(render_template("error.html", code=code), mimetype="text/html")
    response.status_code = status
    return response
