"""Coming in and going out: the first person, new ones, sign-in, sign-out. Forms, without script."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from vonggac.errors import Invalid, NotSignedIn, Refused, StorageError, TooMany, Unavailable
from vonggac.registry.passwords import LENGTH_MAX, LENGTH_MIN, PasswordRefused
from vonggac.registry.people import NAME_MAX
from vonggac_web import guard
from vonggac_web.app import services
from vonggac_web.errors import code_and_status

if TYPE_CHECKING:
    from vonggac_appliance.accounts import Caller, Session

__all__ = ["blueprint"]

blueprint = Blueprint("sign_in", __name__)

_READ_MAX = 256
"""Characters of what was typed that the form shows again."""
_FORESEEN = (NotSignedIn, TooMany, Invalid, Unavailable, StorageError)
"""What the form itself answers; whatever else there is gets a page of its own."""


@blueprint.get("/sign-in")
@guard.public
def sign_in_page() -> Response:
    """The form; whoever is signed in already goes on."""
    if services().accounts.needs_setup():
        return redirect("/setup", 303)
    if guard.session_or_none() is not None:
        return redirect(guard.local_path(request.args.get("next", "/")), 303)
    return _form("sign-in.html", None)


@blueprint.post("/sign-in")
@guard.public
def sign_in() -> Response:
    """Name and password against a session."""
    name, password = request.form.get("name", ""), request.form.get("password", "")
    try:
        token, _ = services().accounts.sign_in(name, password, guard.caller())
    except _FORESEEN as error:
        return _form("sign-in.html", error)
    return _let_in(token, guard.local_path(request.form.get("next", "/")))


@blueprint.get("/setup")
@guard.public
def setup_page() -> Response:
    """The form of the first person; afterwards there is none."""
    if not services().accounts.needs_setup():
        return redirect("/sign-in", 303)
    return _form("setup.html", None)


@blueprint.post("/setup")
@guard.public
def setup() -> Response:
    """Code, name and password against an account and a session."""
    return _enrol(services().accounts.first_person, "setup.html")


@blueprint.get("/join")
@guard.public
def join_page() -> Response:
    """The form of whoever was given a code; it is the same whether there is one or not."""
    if services().accounts.needs_setup():
        return redirect("/setup", 303)
    return _form("join.html", None)


@blueprint.post("/join")
@guard.public
def join() -> Response:
    """As for the first person."""
    return _enrol(services().accounts.new_person, "join.html")


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """Ends the session and forgets its cookie."""
    services().accounts.sign_out(guard.token(), guard.caller())
    return guard.forget_session(make_response(redirect("/sign-in", 303)))


def _enrol(make: Callable[[str, str, str, Caller], tuple[str, Session]], template: str) -> Response:
    form = request.form
    code, name, password = (form.get(field, "") for field in ("code", "name", "password"))
    try:
        if form.get("again", "") != password:
            raise Invalid("again", "the two passwords differ")
        token, _ = make(code, name, password, guard.caller())
    except _FORESEEN as error:
        return _form(template, error)
    return _let_in(token, "/")


def _let_in(token: str, onward: str) -> Response:
    return guard.keep_session(make_response(redirect(onward, 303)), token)


def _form(template: str, error: Refused | Unavailable | StorageError | None) -> Response:
    """The form, again with what was wrong; never with a password in it."""
    code, status = ("", 200) if error is None else code_and_status(error)
    wait_s = math.ceil(error.retry_after_s) if isinstance(error, TooMany) else 0
    field = error.field if isinstance(error, Invalid) else ""
    reason = "code-of-name" if (template, field) == ("join.html", "code") else field
    response = make_response(
        render_template(
            template,
            code=code,
            field=field,
            reason=f"password-{error.reason}" if isinstance(error, PasswordRefused) else reason,
            wait_s=wait_s,
            name=request.form.get("name", "")[:_READ_MAX],
            typed_code="" if field == "code" else request.form.get("code", "")[:_READ_MAX],
            next=guard.local_path(request.values.get("next", "/")),
            name_max=NAME_MAX,
            shortest=LENGTH_MIN,
            longest=LENGTH_MAX,
        ),
        status,
    )
    if wait_s:
        response.headers["Retry-After"] = str(wait_s)
    return response
