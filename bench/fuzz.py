"""What do the native fuzz targets find in so many inputs?

    python bench/fuzz.py                            10^8 inputs over all targets
    python bench/fuzz.py --inputs 1000000           some minutes
    python bench/fuzz.py --minutes 30               or fewer, if that is over first
    python bench/fuzz.py --only packets --seed 7

With clang every target runs under libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and
what it finds of new ways through the code is kept for the next run in --corpus; with gcc alone,
under `replay.c`'s mutations. Several targets at once, one a core. Prints a table; exit status 1
if anything was found: its input then lies in --corpus, belongs into native/fuzz/corpus, and wants
a test.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from procs import machine

HERE = Path(__file__).resolve().parent
NATIVE = HERE.parent / "native"
BUILD = HERE / "build" / "fuzz"
INPUTS = 100_000_000
PART = 1_000_000
"""Inputs of one process: a target's memory begins anew."""
FIRST = 2_000
"""Inputs by which a target's speed is known."""
LEAST, MOST = 0.002, 0.12
"""A target's share of all inputs: by its speed, or the slowest would take most of the time.
`motion` gets through a hundred a second: one per cent of 10^8 would be three hours of it alone."""
_FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-UNDEBUG", "-g", "-fno-omit-frame-pointer")
_CHECKS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_LIBRARIES = ("-lcrypto", "-lpthread")
_PLANS = {
    "assembler": 768,
    "chunker": 321,
    "connection": 73,
    "heard": 97,
    "jpeg": 768,
    "packets": 97,
    "pictures": 97,
    "rtp_order": 384,
    "sound": 1024,
}
"""Targets whose input says what a camera does, with their longest inputs in bytes. No number in
those has to be guessed, so libFuzzer is not told what is compared with what: half of the time."""
_BYTES = {
    "arena": 1024,
    "playlist": 1024,
    "rtcp": 512,
    "rtp": 256,
    "rtsp_frame": 1024,
    "sets": 1024,
    "sps": 512,
}
"""Longest inputs of targets that take bytes as they come; more would say the same again."""
_MAX_BYTES = 4096
"""Of the others."""
_OPTIONS = "quarantine_size_mb=16:malloc_context_size=4"
"""An input allocates far less than the quarantine holds."""
_UNIT_S = 60
"""An input that takes longer is a finding."""


@dataclass(slots=True)
class Found:
    """Of one target."""

    target: str
    seed: int
    """Of its next process."""
    inputs: int = 0
    took_s: float = 0.0
    edges: int = 0
    """Ways through the code that were reached; 0 where nothing counts them."""
    corpus: int = 0
    finding: str = ""


def targets(only: str) -> list[str]:
    """The names of all fuzz targets."""
    names = (path.stem.removeprefix("fuzz_") for path in sorted(NATIVE.glob("fuzz/fuzz_*.c")))
    return [name for name in names if only in name]


def build(names: Sequence[str], clang: str | None) -> None:
    """Each target with a data plane that is watched; what only makes the input into calls is
    sanitized, but its ways are not counted."""
    BUILD.mkdir(parents=True, exist_ok=True)
    compiler = [clang or "gcc", *_FLAGS, *_CHECKS, "-I", "include", "-I", "src"]
    counted = ["-fsanitize=fuzzer-no-link"]
    kinds = {"": counted, "plan": [*counted, "-fno-sanitize-coverage=trace-cmp"]}
    if clang is None:
        kinds = {"": []}
    sources = sorted(path.relative_to(NATIVE) for path in NATIVE.glob("src/*.c"))

    def objects(kind: str) -> list[Path]:
        return [BUILD / f"{path.stem}{kind and '.'}{kind}.o" for path in sources]

    def make(command: Sequence[str | Path]) -> None:
        subprocess.run(command, cwd=NATIVE, check=True)

    steps = [
        [*compiler, *flags, "-c", source, "-o", made]
        for kind, flags in kinds.items()
        for source, made in zip(sources, objects(kind), strict=True)
    ]
    steps += [
        [*compiler, "-c", f"fuzz/fuzz_{name}.c", "-o", _program(name).with_suffix(".o")]
        for name in names
    ]
    outer = ["-fsanitize=fuzzer"] if clang else ["fuzz/replay.c"]
    programs = [
        [
            *(*compiler, _program(name).with_suffix(".o"), *outer),
            *objects("plan" if clang and name in _PLANS else ""),
            *(*_LIBRARIES, "-o", _program(name)),
        ]
        for name in names
    ]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(make, steps))
        list(pool.map(make, programs))


def _program(name: str) -> Path:
    return BUILD / f"fuzz_{name}"


def shares(speeds: Sequence[float], inputs: int) -> list[int]:
    """How many inputs each target gets, by its speed and between the bounds."""
    least, most = LEAST * inputs, max(MOST, 1 / len(speeds)) * inputs
    low, high = 0.0, inputs / min(speeds)
    for _ in range(100):  # the time that each may take, so that all of it is given out
        middle = (low + high) / 2
        given = sum(min(most, max(least, speed * middle)) for speed in speeds)
        low, high = (middle, high) if given < inputs else (low, middle)
    return [round(min(most, max(least, speed * high))) for speed in speeds]


def fuzz(found: Found, inputs: int, corpus: Path, most_s: float) -> Found:
    """A target under libFuzzer until it has had its inputs, a part of them after another, or until
    it has had its time."""
    name = found.target
    own = corpus / name
    own.mkdir(parents=True, exist_ok=True)
    most_bytes = _PLANS.get(name) or _BYTES.get(name, _MAX_BYTES)
    began_s = time.monotonic()
    while found.inputs < inputs and not found.finding:
        part = min(PART, inputs - found.inputs)
        left_s = most_s - (time.monotonic() - began_s)
        if left_s < 1.0:
            break
        done = subprocess.run(
            [
                _program(name),
                *(f"-runs={part}", f"-seed={found.seed}", f"-max_len={most_bytes}", "-reload=0"),
                *(("-entropic=0",) if name in _PLANS else ()),
                *(f"-max_total_time={math.floor(left_s)}", f"-timeout={_UNIT_S}"),
                *(f"-artifact_prefix={own}/found-", "-print_final_stats=1"),
                *(folder for folder in (own, NATIVE / "fuzz" / "corpus" / name) if folder.is_dir()),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, "ASAN_OPTIONS": _OPTIONS},
        )
        found.seed += 1
        counted = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
        found.inputs += int(counted[1]) if counted else 0
        edges = re.findall(r"\bcov: (\d+)", done.stderr)
        found.edges = max(found.edges, int(edges[-1]) if edges else 0)
        if done.returncode != 0:
            found.finding = done.stderr[-3000:]
        elif not counted:
            raise RuntimeError(f"{name} says not how many inputs it took: {done.stderr[-500:]}")
    found.took_s += time.monotonic() - began_s
    found.corpus = sum(1 for _ in own.iterdir())
    return found


def replay(name: str, inputs: int) -> Found:
    """A target under mutations of its corpus, always the same ones."""
    folder = NATIVE / "fuzz" / "corpus" / name
    files = 2 + sum(1 for _ in folder.iterdir()) if folder.is_dir() else 2
    each = max(1, inputs // files)
    began_s = time.monotonic()
    done = subprocess.run(
        [_program(name), folder, str(each)],
        capture_output=True,
        text=True,
        errors="replace",
    )
    found = Found(name, 0, files * (each + 1), time.monotonic() - began_s, corpus=files)
    if done.returncode != 0:
        found.finding = done.stderr[-3000:]
    return found


def _said(one: Found) -> Found:
    print(
        f"| {one.target} | {one.inputs:,} | {one.inputs / max(one.took_s, 0.001):,.0f} |"
        f" {one.edges or ''} | {one.corpus} | {'YES' if one.finding else 0} |",
        flush=True,
    )
    return one


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, default=INPUTS, help="over all targets (10^8)")
    parser.add_argument("--minutes", type=float, default=1440.0, help="at most, about (a day)")
    parser.add_argument("--only", default="", help="targets with this in their name (all)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--corpus", type=Path, default=BUILD / "corpus", help="what is found")
    parser.add_argument("--gcc", action="store_true", help="even where clang is there")
    options = parser.parse_args()
    clang = None if options.gcc else shutil.which("clang")
    names = targets(options.only)
    print(f"machine: {machine()}\ncommand: python {shlex.join(sys.argv)}; seed {options.seed}")
    print(f"{'libFuzzer' if clang else 'replay.c'}, ASan, UBSan\n")
    build(names, clang)
    print("| target | inputs | a second | edges | corpus | findings |")
    print("|---|---|---|---|---|---|")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        if clang:
            corpus = options.corpus.resolve()
            most_s = 60 * options.minutes * options.jobs / len(names)
            first = [
                pool.submit(fuzz, Found(name, options.seed), FIRST, corpus, most_s)
                for name in names
            ]
            known = [work.result() for work in first]
            each = shares([max(1.0, one.inputs / one.took_s) for one in known], options.inputs)
            works = [
                pool.submit(fuzz, one, share, corpus, most_s)
                for one, share in zip(known, each, strict=True)
            ]
        else:
            works = [pool.submit(replay, name, options.inputs // len(names)) for name in names]
        found = [_said(work.result()) for work in concurrent.futures.as_completed(works)]
    for one in found:
        if one.finding:
            print(f"\n{one.target}:\n{one.finding}")
    findings = sum(bool(one.finding) for one in found)
    print(f"\ninputs: {sum(one.inputs for one in found):,}; findings: {findings}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
