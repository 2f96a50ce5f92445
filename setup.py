"""Builds the data plane and the extensions on it; everything else stands in pyproject.toml.

Each row of the table is a module, which has its .pyx beside its .pyi. What it calls of native/ is
compiled once, for all of them, and each takes from it what it needs.
"""

from __future__ import annotations

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

EXTENSIONS = (
    *("fault", "parse", "assembler", "rtp_order", "sound"),
    *("segment", "rows", "playlist", "ring"),
    *("tiles", "tile_counts", "summaries", "zstd", "motion"),
    *("arena", "chunker", "loop"),
)

LIBRARY = "vonggac_native"
INCLUDE = ["native/include", "native/src"]
HEADERS = sorted(str(p) for p in Path("native").rglob("*.h"))
SOURCES = sorted(str(p) for p in Path("native/src").glob("*.c"))

COMPILE_ARGS = [
    "-std=c11",
    "-D_GNU_SOURCE",
    "-O2",
    "-UNDEBUG",  # assertions are about our own mistakes and stay on
    "-fvisibility=hidden",
    "-fstack-protector-strong",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",  # in what Cython generates
]

CORES = len(os.sched_getaffinity(0))


def extension(name: str) -> Extension:
    """The extension `vonggac._native.<name>`."""
    return Extension(
        f"vonggac._native.{name}",
        [f"src/vonggac/_native/{name}.pyx"],
        include_dirs=INCLUDE,
        libraries=[LIBRARY, "crypto", "zstd"],
        extra_compile_args=COMPILE_ARGS,
        extra_link_args=["-Wl,--as-needed", "-Wl,-z,relro,-z,now"],
        depends=[*HEADERS, *SOURCES],
    )


setup(
    libraries=[
        (
            LIBRARY,
            {
                "sources": SOURCES,
                "include_dirs": INCLUDE,
                "cflags": COMPILE_ARGS,
                "obj_deps": {"": HEADERS},
            },
        )
    ],
    ext_modules=cythonize(
        [extension(name) for name in EXTENSIONS],
        include_path=["src"],
        build_dir="build/cython",
        compiler_directives={"language_level": 3, "embedsignature": True},
        quiet=True,
        nthreads=CORES,
    ),
    options={"build_ext": {"parallel": CORES}},
)
