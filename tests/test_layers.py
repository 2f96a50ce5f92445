"""Who may import whom, and what a room may not touch (docs/design/layers.md says why).

The tables below are the rule; the walk looks inside functions too.
"""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A room, and the rooms of ours that it may import beside itself. The longest name wins.
ROOMS: dict[str, tuple[str, ...]] = {
    "vonggac": (),
    "vonggac.errors": (),
    "vonggac._native": ("vonggac.errors", "vonggac.media"),
    "vonggac.media": ("vonggac.errors",),
    "vonggac.rtsp": ("vonggac.errors", "vonggac.media"),
    "vonggac.ingest": ("vonggac.errors", "vonggac.media"),
    "vonggac.registry": ("vonggac.errors", "vonggac.media"),
    "vonggac.evidence": ("vonggac.errors",),
    "vonggac.store": ("vonggac.errors", "vonggac.media", "vonggac._native"),
    "vonggac.playback": ("vonggac.errors", "vonggac.media", "vonggac._native", "vonggac.store"),
    "vonggac.probe": ("vonggac.errors", "vonggac.media", "vonggac._native", "vonggac.rtsp"),
    "vonggac.motion": ("vonggac.errors", "vonggac.media", "vonggac._native"),
    "vonggac_appliance": ("vonggac",),
    "vonggac_web": ("vonggac", "vonggac_appliance"),
}

# What needs a machine: never under src/.
MACHINE = {
    "argparse", "asyncio", "concurrent", "http", "logging", "multiprocessing",
    "sched", "select", "selectors", "signal", "socket", "socketserver", "ssl", "subprocess",
    "sys", "syslog", "tempfile", "threading", "tomllib", "zmq",
}  # fmt: skip
# What a room without I/O does not touch either.
FILES_AND_CLOCKS = {"fcntl", "glob", "io", "lmdb", "mmap", "os", "pathlib", "shutil", "time"}
PURE = (
    "vonggac.errors", "vonggac.media", "vonggac.rtsp", "vonggac.ingest", "vonggac.evidence",
    "vonggac.probe",
)  # fmt: skip

# Everything that a wheel of ours may bring along (pyproject.toml); nothing else is imported.
OUTSIDE = {
    "src": {"argon2", "av", "cryptography", "lmdb", "msgspec"},
    "appliance": {"argon2", "cryptography", "gunicorn", "lmdb", "msgspec", "pyrage", "zmq"},
    "web": {"flask", "flask_sock", "jinja2", "msgspec", "simple_websocket", "werkzeug"},
}

# A dependency that recognises faces or plates has no place here, now or later.
RECOGNISERS = (
    "face", "facial", "facenet", "insightface", "dlib", "deepface", "mediapipe", "retinaface",
    "arcface", "openalpr", "alpr", "anpr", "lpr", "plate", "easyocr", "paddleocr", "tesserocr",
    "pytesseract", "compreface", "mtcnn",
)  # fmt: skip


def modules() -> Iterator[tuple[str, str, Path]]:
    """Storey, dotted name and file of every Python or Cython source of ours."""
    for storey in ("src", "appliance", "web"):
        for path in sorted((ROOT / storey).rglob("*")):
            if path.suffix in (".py", ".pyx", ".pxd", ".pyi"):
                parts = path.relative_to(ROOT / storey).with_suffix("").parts
                yield storey, ".".join(p for p in parts if p != "__init__"), path


def imports(path: Path, module: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported, wherever in the file it stands."""
    text = path.read_text()
    if path.suffix in (".pyx", ".pxd"):
        pattern = r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+c?import|c?import[ \t]+([\w.]+))"
        for found in re.finditer(pattern, text, re.MULTILINE):
            yield text.count("\n", 0, found.start()) + 1, found[1] or found[2]
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            assert node.module is not None
            # `from vonggac import store` names a room of its own.
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def is_for_type_checkers(path: Path, line: int) -> bool:
    """Whether only a type checker reads that line: in a stub, or below `if TYPE_CHECKING`."""
    if path.suffix == ".pyi":
        return True
    guards = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.If)]
    return any(
        isinstance(guard.test, ast.Name)
        and guard.test.id == "TYPE_CHECKING"
        and guard.lineno < line <= (guard.end_lineno or guard.lineno)
        for guard in guards
    )


def room_of(name: str) -> str:
    """The room a dotted name lies in."""
    found = [room for room in ROOMS if name == room or name.startswith(f"{room}.")]
    return max(found, key=len, default="")


def is_within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


ALL = [pytest.param(s, m, p, id=str(p.relative_to(ROOT))) for s, m, p in modules()]


@pytest.mark.parametrize(("storey", "module", "path"), ALL)
def test_imports_point_down(storey: str, module: str, path: Path) -> None:
    room = room_of(module)
    assert room, f"{module} lies in no room of the table"
    for line, name in imports(path, module):
        if name.split(".")[0] not in {"vonggac", "vonggac_appliance", "vonggac_web"}:
            continue
        allowed = (room, *ROOMS[room])
        assert any(is_within(room_of(name), one) for one in allowed), (
            f"{path.relative_to(ROOT)}:{line}: {room} may not import {name}"
        )


@pytest.mark.parametrize(("storey", "module", "path"), ALL)
def test_what_needs_a_machine_is_in_the_appliance(storey: str, module: str, path: Path) -> None:
    if storey != "src":
        return
    banned = MACHINE | (FILES_AND_CLOCKS if module.startswith(PURE) else set())
    for line, name in imports(path, module):
        assert name.split(".")[0] not in banned, (
            f"{path.relative_to(ROOT)}:{line}: {room_of(module)} may not import {name}"
        )


@pytest.mark.parametrize(("storey", "module", "path"), ALL)
def test_nothing_is_imported_that_the_wheel_does_not_ask_for(
    storey: str, module: str, path: Path
) -> None:
    ours = {"vonggac", "vonggac_appliance", "vonggac_web", "libc", "cython", "cpython"}
    known = ours | OUTSIDE[storey] | set(sys.stdlib_module_names) | {"_typeshed"}
    for line, name in imports(path, module):
        if name.startswith("typing_extensions.") and is_for_type_checkers(path, line):
            continue
        assert name.split(".")[0] in known, f"{path.relative_to(ROOT)}:{line}: {name}"


def test_the_table_of_rooms_is_the_tree() -> None:
    there = {f"vonggac.{p.parent.name}" for p in (ROOT / "src/vonggac").glob("*/__init__.py")}
    rooms = {room for room in ROOMS if room.startswith("vonggac.")} - {"vonggac.errors"}
    assert rooms == there


def test_the_pages_below_never_import_the_web() -> None:
    for storey, module, path in modules():
        if storey != "web":
            assert not any(is_within(name, "vonggac_web") for _, name in imports(path, module))


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, id=p.name) for p in sorted((ROOT / "native").rglob("*.[ch]"))],
)
def test_the_data_plane_includes_its_own_headers_and_c(path: Path) -> None:
    text = path.read_text()
    for found in re.finditer(r'^#\s*include\s+(["<])([^">]+)[">]', text, re.MULTILINE):
        quote, name = found[1], found[2]
        assert not name.startswith(("Python", "numpy")), f"{path.name} includes {name}"
        if quote == '"':
            near = path.parent / name
            inside = name.startswith("vg/") and (ROOT / "native/include" / name).exists()
            shared = (ROOT / "native/src" / name).exists()
            assert near.exists() or inside or shared, f"{path.name} includes {name}"
        if "include/vg" in str(path):
            assert quote == "<" or name.startswith("vg/"), f"{path.name}: headers stand alone"


# The parsers: no allocation, no I/O, no clock (asserts print and abort: our own mistakes only).
PARSERS = (
    "rtp", "rtcp", "rtsp_frame", "h264", "h265", "jpeg", "assembler", "depacketize",
    "access_unit", "bmff", "sample_entry", "chunk_head", "table", "rows", "crc32c",
    "motion_",
)  # fmt: skip


@pytest.mark.parametrize("name", PARSERS)
def test_parsers_allocate_nothing_and_ask_no_system(name: str) -> None:
    for path in sorted((ROOT / "native/src").glob(f"{name}*.c")):
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)
        calls = set(re.findall(r"\b(\w+)\s*\(", text))
        system = {"malloc", "calloc", "realloc", "free", "read", "write", "printf", "fprintf",
                  "clock_gettime", "time", "gettimeofday", "open", "mmap"}  # fmt: skip
        assert not calls & system, f"{path.name} calls {sorted(calls & system)}"


def test_importing_the_library_opens_nothing_and_starts_nothing() -> None:
    script = (
        "import importlib, os, pkgutil, threading\n"
        "before = set(os.listdir('/proc/self/fd'))\n"
        "import vonggac\n"
        "for module in pkgutil.walk_packages(vonggac.__path__, 'vonggac.'):\n"
        "    importlib.import_module(module.name)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert set(os.listdir('/proc/self/fd')) == before, os.listdir('/proc/self/fd')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_no_dependency_recognises_faces_or_plates() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"]]
    for extra in project.get("optional-dependencies", {}).values():
        asked += extra
    packages = (ROOT / ".ci/packages").read_text()
    # What those ask for in turn is installed where the tests run.
    installed = [d.metadata["Name"] for d in importlib.metadata.distributions()]
    for name in (*asked, *installed, *packages.split()):
        words = re.split(r"[^a-z0-9]+", name.lower())
        assert not any(word.startswith(RECOGNISERS) for word in words), name
