"""What belongs to no part: the start, the language, the description of the API."""

from __future__ import annotations

from importlib import resources

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from vonggac.errors import Invalid
from vonggac_web import guard, texts

blueprint = Blueprint("pages", __name__)

_YEAR_S = 365 * 24 * 3600


@blueprint.get("/")
def start() -> AnyResponse:
    """The list of cameras is where work begins."""
    return redirect("/cameras", 303)


@blueprint.post("/language")
@guard.public
def choose_language() -> AnyResponse:
    """Keep the language in a cookie and go back to the page that asked."""
    chosen = request.form.get("language", "")
    if chosen not in texts.LANGUAGES:
        raise Invalid("language", "there is no such language")
    response = redirect(guard.local_path(request.form.get("next", "/")), 303)
    response.set_cookie(
        texts.LANGUAGE_COOKIE, chosen, max_age=_YEAR_S, httponly=True, samesite="Lax", path="/"
    )
    return response


@blueprint.get("/api/v1/openapi.json")
def describe() -> Response:
    """The API as an OpenAPI 3.1 document."""
    document = resources.files("vonggac_web").joinpath("openapi.json").read_bytes()
    return Response(document, mimetype="application/json")
