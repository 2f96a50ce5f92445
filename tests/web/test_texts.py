"""One source of words: both languages say the same things."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import Any, cast

import pytest

import vonggac_web
from vonggac_appliance.services import Services
from vonggac_web import errors, texts
from vonggac_web.app import create_app

WEB = Path(vonggac_web.__file__).parent
VI, EN = (dict(texts.load(name)) for name in ("vi", "en"))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys() -> None:
    assert set(VI) == set(EN)


@pytest.mark.parametrize("key", sorted(VI))
def test_both_languages_fill_in_the_same(key: str) -> None:
    assert placeholders(VI[key]) == placeholders(EN[key])
    assert VI[key].strip() and EN[key].strip()


def test_every_error_has_its_words_on_the_page_and_in_the_script() -> None:
    for code in errors.CODES:
        assert f"error.{code}" in VI
        assert f"js.error.{code}" in VI


def _used(pattern: str, folder: str, suffix: str) -> set[tuple[str, str]]:
    """Keys that stand whole in a source, and where."""
    found = set()
    for path in sorted((WEB / folder).glob(f"*{suffix}")):
        found |= {(path.name, key) for key in re.findall(pattern, path.read_text("utf-8"))}
    return found


def test_every_key_of_a_template_is_there() -> None:
    used = _used(r"""\bt\(\s*["']([\w.-]+)["']\s*[,)]""", "templates", ".html")

    assert used
    assert not {(name, key) for name, key in used if key not in VI}


def test_every_key_of_the_script_is_there() -> None:
    used = _used(r"""\bt\(\s*["']([\w.-]+)["']\s*[,)]""", "static", ".js")

    assert not {(name, key) for name, key in used if f"js.{key}" not in VI}


def test_no_template_holds_script_or_style_of_its_own() -> None:
    for path in (WEB / "templates").glob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"\son\w+\s*=", text), path.name
        assert not re.search(r"\sstyle\s*=", text), path.name
        assert "<style" not in text, path.name
        for tag in re.findall(r"<script\b[^>]*>", text):
            assert "src=" in tag or 'type="application/json"' in tag, (path.name, tag)


def test_texts_cannot_end_the_block_they_stand_in() -> None:
    app = create_app(Services(Path("/nowhere"), cast(Any, None), *(cast(Any, None),) * 7))
    with app.test_request_context("/"):
        block = app.jinja_env.globals["texts_for_script"]()  # type: ignore[operator]

    assert "<" not in block


def test_vietnamese_comes_first_and_a_cookie_changes_it() -> None:
    app = create_app(Services(Path("/nowhere"), cast(Any, None), *(cast(Any, None),) * 7))
    for cookie, language in (
        ("", "vi"),
        ("lang=en", "en"),
        ("lang=xx", "vi"),
        ("lang=../en", "vi"),
    ):
        with app.test_request_context("/", headers={"Cookie": cookie}):
            assert texts.language() == language


def test_times_are_vietnams_wherever_the_box_thinks_it_is() -> None:
    app = create_app(Services(Path("/nowhere"), cast(Any, None), *(cast(Any, None),) * 7))
    # 2026-11-22 18:30:00 UTC
    local = app.jinja_env.filters["local_time"](1_795_372_200_000_000_000)

    assert local == "23/11/2026 01:30:00"
