"""The description of the API says what there is, no more and no less."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, cast

from flask import Flask

from vonggac.registry.people import PurposeCode
from vonggac_appliance import config
from vonggac_appliance.services import Services
from vonggac_web import errors, guard
from vonggac_web.app import create_app

DOCUMENT: dict[str, Any] = json.loads(
    resources.files("vonggac_web").joinpath("openapi.json").read_text("utf-8")
)
ABSENT = cast(Any, None)


def _application() -> Flask:
    """For its url map alone."""
    settings = config.parse("", "empty")
    return create_app(Services(Path("/nowhere"), settings, *(ABSENT,) * 7))


def _routes() -> dict[str, set[str]]:
    """Methods of every route of the API, as the description writes its path."""
    found: dict[str, set[str]] = {}
    for rule in _application().url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            found.setdefault(path, set()).update(method.lower() for method in methods)
    return found


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_route_is_described_and_every_description_is_a_route() -> None:
    described = {path: set(methods) for path, methods in DOCUMENT["paths"].items()}

    assert described == _routes()


def test_every_part_of_a_path_is_described() -> None:
    for path, method, operation in _operations():
        told = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert told == set(re.findall(r"{(\w+)}", path)), (method, path)


def test_an_operation_has_a_name_of_its_own_and_a_summary() -> None:
    names = [operation["operationId"] for _, _, operation in _operations()]

    assert len(names) == len(set(names))
    assert all(operation["summary"] for _, _, operation in _operations())


def test_what_needs_a_session_says_so() -> None:
    app = _application()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            assert not getattr(app.view_functions[rule.endpoint], guard.PUBLIC, False)
    assert DOCUMENT["security"] == [{"session": []}]
    assert all("401" in operation["responses"] for _, _, operation in _operations())


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def test_what_is_referred_to_is_there_and_used() -> None:
    wanted = set(_references(DOCUMENT))
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses")
        for name in DOCUMENT["components"][kind]
    }

    assert wanted == there


def test_the_words_are_those_of_the_code() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    told = schemas["Error"]["properties"]["error"]["properties"]["code"]["enum"]

    assert set(told) == set(errors.CODES)
    assert schemas["Purpose"]["properties"]["code"]["enum"] == [c.value for c in PurposeCode]
