"""What others rely on is described, and what is cited exists."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import inspect
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import test_layers

ROOT = Path(__file__).resolve().parent.parent
REF = ROOT / "docs" / "ref"

TREE = ("src", "appliance", "web", "native", "tests", "bench", "systemd", "docs", ".ci")
SOURCES = (".py", ".pyx", ".pxd", ".pyi", ".c", ".h", ".sh", ".md", ".service", ".target", ".conf")


def files() -> list[Path]:
    """Every text of the tree that could cite something, as git sees it (or all, without git)."""
    git = subprocess.run(
        [
            shutil.which("git") or "false",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if git.returncode == 0:
        paths = [ROOT / name.decode() for name in git.stdout.split(b"\0") if name]
    else:
        paths = [p for top in TREE for p in (ROOT / top).rglob("*")] + list(ROOT.glob("*.md"))
        paths = [p for p in paths if "build" not in p.parts]
    special = {"Makefile", "run", "packages"}
    return sorted(p for p in paths if p.is_file() and (p.suffix in SOURCES or p.name in special))


def page(name: str) -> str:
    path = REF / name
    assert path.exists(), f"docs/ref/{name} is not written"
    return path.read_text()


def missing(names: list[str], text: str) -> list[str]:
    """Those that stand nowhere in the page as code: in backticks, a table, or a drawing."""
    return [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]


def values_of(module: ModuleType) -> Iterator[tuple[str, list[str]]]:
    """Each struct or dataclass that the module defines, with its fields."""
    for name, value in inspect.getmembers(module, inspect.isclass):
        if value.__module__ != module.__name__ or name.startswith("_"):
            continue
        if issubclass(value, msgspec.Struct):
            yield name, list(value.__struct_fields__)
        elif dataclasses.is_dataclass(value):
            yield name, [field.name for field in dataclasses.fields(value)]


# -- The command line --


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its words, leaves only."""
    nested = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not nested:
        yield parser.prog, parser
    for action in nested:
        for child in action.choices.values():
            yield from commands(child)


def command_table() -> list[tuple[str, argparse.ArgumentParser]]:
    cli = importlib.import_module("vonggac_appliance.cli")
    return list(commands(cli.parser()))


def test_every_command_and_option_is_described() -> None:
    text = page("commands.md")
    table = command_table()
    assert table
    for prog, parser in table:
        words = " ".join(w for w in prog.split()[1:] if not w.startswith(("-", "[")))
        assert f"vonggac {words}" in text, f"vonggac {words}"
        options = [o for a in parser._actions for o in a.option_strings if o.startswith("--")]
        assert not missing([o for o in options if o != "--help"], text), f"vonggac {words}"


def test_every_command_helps_with_an_example() -> None:
    for prog, parser in command_table():
        assert "vonggac" in (parser.epilog or ""), f"{prog} --help shows no example"


def test_commands_that_are_described_exist() -> None:
    text = page("commands.md")
    known = [" ".join(p.split()[1:]) for p, _ in command_table()]
    for heading in re.findall(r"^#+ `vonggac ([^`]*)`", text, re.MULTILINE):
        words = " ".join(re.findall(r"^[a-z][a-z -]*", heading)).strip()
        assert any(words == k or words.startswith(f"{k} ") for k in known), heading


# -- Configuration --


def test_every_configuration_key_is_described_with_its_default_and_bounds() -> None:
    keys = importlib.import_module("vonggac_appliance.config_keys").KEYS
    text = page("configuration.md")
    for key in keys:
        names = [key.name, key.section]
        bounds = [str(b) for b in (key.lowest, key.highest) if b != 0]
        default = [str(d) for d in key.default] if isinstance(key.default, tuple) else []
        assert not missing([*names, *bounds, *default], text), key.name
        if isinstance(key.default, str | int):
            assert str(key.default) in text, key.name


# -- Messages --


def test_every_topic_is_described_with_its_fields() -> None:
    events = importlib.import_module("vonggac_appliance.bus_events")
    control = importlib.import_module("vonggac_appliance.bus_control")
    rows = importlib.import_module("vonggac_appliance.bus_rows")
    text = page("bus.md")
    assert not missing([topic.name for topic in events.TOPICS], text)
    for name, fields in (*values_of(events), *values_of(control), *values_of(rows)):
        assert not missing([f for f in fields if f != "v"], text), name


def test_every_message_between_processes_is_described() -> None:
    kinds = importlib.import_module("vonggac_appliance.messages").Kind
    text = page("sockets.md")
    assert not missing([kind.name for kind in kinds], text)
    rooms = sorted((ROOT / "appliance/vonggac_appliance").glob("messages*.py"))
    assert len(rooms) > 1
    for room in rooms:
        for name, fields in values_of(importlib.import_module(f"vonggac_appliance.{room.stem}")):
            assert not missing(fields, text), name


def test_every_route_of_the_page_is_described_and_no_other() -> None:
    web = importlib.import_module("vonggac_web.app")
    text = page("http.md")
    nobody: Any = None
    rules = web.create_app(nobody).url_map.iter_rules()
    there = {
        (method, re.sub(r"<(?:[^:<>]+:)?([a-z_]+)>", r"{\1}", rule.rule))
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^` ]*)`", text))

    assert described == there


@pytest.mark.parametrize("prefix", ["VG_WIRE_", "VG_EVENT_"])
def test_every_message_of_the_loops_is_described(prefix: str) -> None:
    header = (ROOT / "native/include/vg/wire.h").read_text()
    header = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    names = re.findall(rf"\b{prefix}(\w+) = ", header)
    sizes = {"VERSION", "HEADER", "MAX", "STATS_RECORD"}
    assert names
    assert not missing([name for name in names if name not in sizes], page("sockets.md"))


# -- Formats --


@pytest.mark.parametrize("name", ["Claim", "Place", "Row"])
def test_every_field_of_the_segment_format_is_described(name: str) -> None:
    chunk = importlib.import_module("vonggac.media.chunk")
    fields = dict(values_of(chunk))[name]
    assert not missing(fields, page("segment-format.md"))


@pytest.mark.parametrize("name", ["ChunkFlag", "SyncKind", "GapReason", "Codec"])
def test_every_value_of_the_segment_format_is_described(name: str) -> None:
    members = getattr(importlib.import_module("vonggac.media.chunk"), name)
    text = page("segment-format.md").lower()
    words = [member.name.lower() for member in members]
    assert not [w for w in words if w not in text and w.replace("_", " ") not in text]


@pytest.mark.parametrize(
    ("module", "reference"),
    [
        pytest.param("vonggac.registry.camera", "catalog.md", id="camera"),
        pytest.param("vonggac.registry.people", "catalog.md", id="people"),
        pytest.param("vonggac.registry.locks", "catalog.md", id="locks"),
        pytest.param("vonggac.registry.hooks", "catalog.md", id="hooks"),
        pytest.param("vonggac.motion.marks", "hooks.md", id="marks"),
        pytest.param("vonggac_appliance.hook_protocol", "hooks.md", id="hook-protocol"),
        pytest.param("vonggac.evidence.receipt", "audit.md", id="receipt"),
        pytest.param("vonggac.store.journal", "journal.md", id="journal"),
        pytest.param("vonggac_appliance.sessions", "serve-state.md", id="sessions"),
        pytest.param("vonggac_appliance.setup_code", "serve-state.md", id="setup-code"),
    ],
)
def test_every_field_that_is_stored_is_described(module: str, reference: str) -> None:
    text = page(reference)
    for name, fields in values_of(importlib.import_module(module)):
        assert not missing(fields, text), name


# -- What is cited --

TEXTS = [path for path in files() if path != Path(__file__)]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def slug(heading: str) -> str:
    """A heading's anchor, as forges make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def headings(path: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    return [h.replace("`", "") for h in re.findall(r"^#+\s+(.*?)\s*$", text, re.MULTILINE)]


def test_a_file_that_is_cited_exists() -> None:
    tops = "|".join(map(re.escape, TREE))
    pattern = re.compile(rf"(?<![\w./$}}<-])(?:{tops})/[\w./*-]*\w\.(?:\w+)\b")
    gone = []
    for path in TEXTS:
        for cited in pattern.findall(path.read_text()):
            is_built = cited.endswith((".so", ".o", ".a")) or "/build/" in cited
            if not is_built and not list(ROOT.glob(cited)):
                gone.append(f"{name_of(path)}: {cited}")

    assert not gone


def test_a_page_that_is_cited_exists() -> None:
    names = {p.name for p in TEXTS if p.suffix == ".md"}
    pattern = re.compile(r"(?<![\w*-])([\w-]+\.md)\b")
    gone = [
        f"{name_of(path)}: {cited}"
        for path in TEXTS
        for cited in pattern.findall(path.read_text())
        if cited not in names
    ]

    assert not gone


def test_a_link_leads_to_a_file_and_its_heading() -> None:
    gone = []
    for path in TEXTS:
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
            file, _, anchor = target.partition("#")
            there = (path.parent / file).resolve() if file else path
            if re.match(r"[a-z]+:", target):
                continue
            if not there.exists() or (anchor and anchor not in map(slug, headings(there))):
                gone.append(f"{name_of(path)}: {target}")

    assert not gone


def test_a_heading_that_is_cited_exists() -> None:
    # The form is: docs/design/time.md, "Heading".
    pattern = re.compile(r'(docs/[\w/-]+\.md),?\s+"([^"\n]+)"')
    gone = [
        f"{name_of(path)}: {page}, {heading}"
        for path in TEXTS
        for page, heading in pattern.findall(path.read_text())
        if not (ROOT / page).exists() or heading not in headings(ROOT / page)
    ]

    assert not gone


def test_the_table_of_layers_is_the_one_that_is_tested() -> None:
    text = (ROOT / "docs/design/layers.md").read_text()
    rows = re.findall(r"^\| (`vonggac[\w.]*`) \|([^|]*)\|", text, re.MULTILINE)
    table = {room.strip("`"): tuple(re.findall(r"`([\w.]+)`", may)) for room, may in rows}

    assert table == test_layers.ROOMS


def test_the_readme_starts_what_the_makefile_has() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake ([a-z][a-z-]*)", (ROOT / "README.md").read_text()):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
