"""Words in Vietnamese and English from one flat file each, for templates and for the page's script.

`t("key", name=value)` fills `{name}`; Jinja escapes what comes out, so a camera's name stays text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from importlib import resources
from types import MappingProxyType

from flask import Flask, current_app, g, request

__all__ = ["LANGUAGES", "LANGUAGE_COOKIE", "ZONE", "install", "language", "load", "t"]

LANGUAGES = ("vi", "en")
"""The first is what a new browser sees."""
LANGUAGE_COOKIE = "lang"
ZONE = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""What every time on a page is said in, wherever the browser is. It has had no other offset since
1975, so no file of zones has to be there."""

_CLIENT_PREFIX = "js."
_NS = 1_000_000_000


def load(name: str) -> Mapping[str, str]:
    """All words of a language."""
    text = resources.files("vonggac_web").joinpath(f"translations/{name}.json").read_text("utf-8")
    words: dict[str, str] = json.loads(text)
    return MappingProxyType(words)


def install(app: Flask) -> None:
    """Give templates their words, and the times of this country."""
    words = {name: load(name) for name in LANGUAGES}
    app.extensions["vonggac-texts"] = words
    script = {
        name: json.dumps(
            {key: text for key, text in texts.items() if key.startswith(_CLIENT_PREFIX)},
            ensure_ascii=False,
        ).replace("<", "\\u003c")  # inside <script>, whatever a text holds
        for name, texts in words.items()
    }
    app.jinja_env.globals.update(
        t=t, language=language, texts_for_script=lambda: script[language()]
    )
    app.jinja_env.filters["local_time"] = _local_time


def language() -> str:
    """Of this request: the browser's choice, or Vietnamese."""
    if "language" not in g:
        chosen = request.cookies.get(LANGUAGE_COOKIE, "")
        g.language = chosen if chosen in LANGUAGES else LANGUAGES[0]
    return str(g.language)


def t(key: str, **values: object) -> str:
    """The words for `key`. Raises KeyError for a key that nobody wrote down."""
    words: Mapping[str, Mapping[str, str]] = current_app.extensions["vonggac-texts"]
    return words[language()][key].format(**values)


def _local_time(ns: int, form: str = "%d/%m/%Y %H:%M:%S") -> str:
    return datetime.fromtimestamp(ns / _NS, ZONE).strftime(form)
