"""The foreign scripts of the page: what is committed is what was checked when it was fetched."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "vendor.py"


@pytest.fixture
def vendor() -> ModuleType:
    """tools/vendor.py, which is no package."""
    spec = importlib.util.spec_from_file_location("vonggac_tools_vendor", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_committed_files_are_those_of_the_lock(vendor: ModuleType) -> None:
    assert vendor.problems() == []
    assert [(package.name, package.version) for package in vendor.read_lock()] == [
        ("hls.js", "1.7.4")
    ]


def test_each_package_brings_its_licence_and_the_digest_of_its_origin(vendor: ModuleType) -> None:
    for package in vendor.read_lock():
        assert (package.folder / "LICENSE").is_file()
        assert package.licence == "Apache-2.0"
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package.integrity)


def test_a_changed_a_missing_and_a_strange_file_are_told(
    vendor: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "vendor"
    shutil.copytree(vendor.FOLDER, folder)
    monkeypatch.setattr(vendor, "FOLDER", folder)
    monkeypatch.setattr(vendor, "LOCK", folder / "vendor.lock")
    (package,) = vendor.read_lock()
    with (package.folder / "hls.min.mjs").open("ab") as script:
        script.write(b"//")
    (package.folder / "LICENSE").unlink()
    (folder / "more.js").touch()
    assert vendor.problems() == [
        "hls.js-1.7.4/hls.min.mjs is not the file of vendor.lock",
        "hls.js-1.7.4/LICENSE is missing",
        "more.js is not in vendor.lock",
    ]


def test_no_registry_is_named_where_packages_are_locked(vendor: ModuleType) -> None:
    for path in (vendor.LOCK, ROOT / "web" / "package-lock.json", TOOL):
        assert "registry." not in path.read_text()
        assert '"resolved"' not in path.read_text()
