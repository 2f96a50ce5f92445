#!/usr/bin/env python3
"""Foreign scripts of the page: fetched once, checked, committed. A box and a build need no npm.

    tools/vendor.py check                         are the committed files those of vendor.lock?
    tools/vendor.py fetch                         fetch the packages of vendor.lock again
    tools/vendor.py add NAME@VERSION SHA512 FROM=TO ...   a new package, or a new version of one

`add` takes the digest that the registry announces (`npm view NAME@VERSION dist.integrity`), read
by a person; a package of any other content is refused. vendor.lock holds it, and a digest of each
file.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "web" / "vonggac_web" / "static" / "vendor"
LOCK = FOLDER / "vendor.lock"
_FILE_BYTES_MAX = 4 << 20


@dataclass(frozen=True, slots=True)
class Package:
    """One package, and which of its files we ship under which name."""

    name: str
    version: str
    licence: str
    integrity: str
    """`sha512-` and Base64 of the package as npm packs it."""
    files: dict[str, str]
    """Name in its folder: path in the package."""
    sha256: dict[str, str]
    """Name in its folder: SHA-256 of the file."""

    @property
    def folder(self) -> Path:
        """Where its files lie; a new version has a new address."""
        return FOLDER / f"{self.name}-{self.version}"


def read_lock() -> list[Package]:
    """The packages that the page uses."""
    return [Package(**entry) for entry in json.loads(LOCK.read_text())]


def problems() -> list[str]:
    """What differs between vendor.lock and the files beside it; empty when nothing does."""
    found: list[str] = []
    expected = {LOCK}
    for package in read_lock():
        for name, sha256 in package.sha256.items():
            path = package.folder / name
            expected.add(path)
            if not path.is_file():
                found.append(f"{path.relative_to(FOLDER)} is missing")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
                found.append(f"{path.relative_to(FOLDER)} is not the file of vendor.lock")
    strays = (path for path in FOLDER.rglob("*") if path.is_file() and path not in expected)
    return found + [f"{path.relative_to(FOLDER)} is not in vendor.lock" for path in strays]


def fetch(name: str, version: str, integrity: str, files: dict[str, str]) -> Package:
    """Packs a package with npm, checks it and copies `files` out of it."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(  # noqa: S603, npm is what a developer has
            ["npm", "pack", "--silent", "--pack-destination", scratch, f"{name}@{version}"],  # noqa: S607
            check=True,
            cwd=scratch,
            stdout=subprocess.DEVNULL,
        )
        (packed,) = Path(scratch).glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != integrity:
            raise SystemExit(f"{name}@{version} has sha512-{digest}, not {integrity}")
        with tarfile.open(packed) as archive:
            about = json.loads(_member(archive, "package.json"))
            contents = {to: _member(archive, origin) for to, origin in files.items()}
    sha256 = {to: hashlib.sha256(content).hexdigest() for to, content in contents.items()}
    package = Package(name, version, about["license"], integrity, files, sha256)
    package.folder.mkdir(parents=True, exist_ok=True)
    for to, content in contents.items():
        (package.folder / to).write_bytes(content)
    return package


def _member(archive: tarfile.TarFile, path: str) -> bytes:
    """A file of the package. Nothing is unpacked, so no name in it can lead outside."""
    member = archive.getmember(f"package/{path}")
    stream = archive.extractfile(member)
    if stream is None or member.size > _FILE_BYTES_MAX:
        raise SystemExit(f"{path} is no file of at most {_FILE_BYTES_MAX} bytes")
    return stream.read()


def write_lock(packages: list[Package]) -> None:
    """Keeps them in the order of their names."""
    entries = [asdict(package) for package in sorted(packages, key=lambda one: one.name)]
    LOCK.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n")


def main() -> int:
    """Exit status 1 when `check` finds something."""
    parser = argparse.ArgumentParser(description="foreign scripts of the page")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check")
    commands.add_parser("fetch")
    add = commands.add_parser("add")
    add.add_argument("package", metavar="NAME@VERSION")
    add.add_argument("integrity", metavar="SHA512")
    add.add_argument("files", nargs="+", metavar="FROM=TO")
    asked = parser.parse_args()
    if asked.command == "check":
        found = problems()
        print("\n".join(found) or "vendored files are those of vendor.lock")
        return 1 if found else 0
    packages = read_lock() if LOCK.exists() else []
    if asked.command == "fetch":
        write_lock([fetch(p.name, p.version, p.integrity, p.files) for p in packages])
        return 0
    name, _, version = asked.package.rpartition("@")
    files = {to: origin for origin, _, to in (pair.partition("=") for pair in asked.files)}
    FOLDER.mkdir(parents=True, exist_ok=True)
    packages = [package for package in packages if package.name != name]
    write_lock([*packages, fetch(name, version, asked.integrity, files)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
