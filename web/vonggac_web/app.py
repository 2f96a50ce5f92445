"""The application: its parts, its errors, its guard. `serve` names `create_app` as a string.

A part is a module with a `blueprint`; a view of it parses the request, calls one function of one
service and renders the answer.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from flask import Flask, current_app
from jinja2 import StrictUndefined

from vonggac_appliance.services import Services
from vonggac_web import errors, guard, texts

__all__ = ["PARTS", "create_app", "services"]

PARTS = (
    *(
        "pages",
        "sign_in",
        "cameras",
        "camera",
        "looks",
        "media",
        "motion",
        "marks",
        "masks",
        "status",
        "alarms",
        "metrics",
        "socket",
    ),
)
"""Modules with a `blueprint`, in the order of registration. Each part adds its own line."""

_EXTENSION = "vonggac"
_BODY_BYTES_MAX = 64 * 1024
"""Far more than any form or question of ours; footage only goes out."""
_FORM_PARTS_MAX = 64
_VENDOR_AGE_S = 30 * 24 * 3600
"""A vendored file has its version in its path."""


class _App(Flask):
    """What it serves from `static/` is asked for again each time (304), but what never changes."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return _VENDOR_AGE_S if (filename or "").startswith("vendor/") else None


def create_app(services: Services) -> Flask:
    """The page over `services`. Makes no thread and opens nothing."""
    app = _App(__name__, static_folder="static", template_folder="templates")
    app.config.update(
        MAX_CONTENT_LENGTH=_BODY_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=_BODY_BYTES_MAX,
        MAX_FORM_PARTS=_FORM_PARTS_MAX,
        PROVIDE_AUTOMATIC_OPTIONS=False,  # what has no view has no answer
    )
    app.url_map.merge_slashes = False  # a path is right or it is unknown
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # camera names are read by people
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.undefined = StrictUndefined
    app.extensions[_EXTENSION] = services
    guard.install(app)
    errors.install(app)
    texts.install(app)
    for name in PARTS:
        app.register_blueprint(import_module(f"vonggac_web.{name}").blueprint)
    return app


def services() -> Services:
    """Of the application that answers the present request."""
    return cast(Services, current_app.extensions[_EXTENSION])
