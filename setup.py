"""Builds the extensions; everything else stands in pyproject.toml.

A row of the table: the module, which has its .pyx beside its .pyi, and the C sources it links.
"""

from __future__ import annotations

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

EXTENSIONS: dict[str, tuple[str, ...]] = {
    "fault": (),
    "parse": (
        *("rtp", "rtcp", "rtsp_frame", "h264", "h265", "jpeg"),
        *("assembler", "access_unit"),
        *("depacketize", "depacketize_h264", "depacketize_h265", "depacketize_jpeg"),
    ),
    "rtp_order": ("rtp_order",),
    "sound": ("sound", "sound_aac"),
    "segment": (
        *("crc32c", "sha256", "bmff_head", "sample_entry", "sound_trak", "claim", "chunk_head"),
        *("chunk_moof", "table", "h264", "h265", "jpeg", "sound", "sound_aac"),
    ),
    "rows": ("rows", "rows_value", "rows_ranges"),
    "playlist": ("playlist", "rows", "rows_value", "rows_ranges"),
    "ring": ("ring_file",),
    "arena": ("arena",),
    "chunker": (
        *("h264", "h265", "jpeg"),
        *("crc32c", "sha256", "bmff_head", "sample_entry", "sound_trak", "claim", "chunk_head"),
        *("chunk_moof", "sound", "sound_aac"),
        *("arena", "timeline", "reorder", "sets"),
        *("chunker", "chunker_entry", "chunker_commit", "chunker_fill", "chunker_sound"),
    ),
    "loop": (
        *("rtp", "rtcp", "rtsp_frame", "h264", "h265", "jpeg", "assembler", "access_unit"),
        *("depacketize", "depacketize_h264", "depacketize_h265", "depacketize_jpeg"),
        *("crc32c", "sha256", "bmff_head", "sample_entry", "sound_trak", "claim", "chunk_head"),
        *("chunk_moof", "sound", "sound_aac"),
        *("arena", "timeline", "reorder", "sets"),
        *("chunker", "chunker_entry", "chunker_commit", "chunker_fill", "chunker_sound"),
        *("ingest_loop", "loop_parent", "loop_wire", "loop_keeper", "loop_live"),
        "loop_arena",
        *("loop_stream", "loop_socket", "loop_units", "loop_reception", "loop_clock"),
        *("loop_sound", "loop_udp", "loop_udp_order", "rtp_order"),
    ),
}

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

HEADERS = sorted(str(p) for p in (*Path("native").rglob("*.h"),))


def extension(name: str, sources: tuple[str, ...]) -> Extension:
    """The extension `vonggac._native.<name>`."""
    return Extension(
        f"vonggac._native.{name}",
        [f"src/vonggac/_native/{name}.pyx", *(f"native/src/{source}.c" for source in sources)],
        include_dirs=["native/include", "native/src"],
        libraries=["crypto"],
        extra_compile_args=COMPILE_ARGS,
        extra_link_args=["-Wl,--as-needed", "-Wl,-z,relro,-z,now"],
        depends=HEADERS,
    )


setup(
    ext_modules=cythonize(
        [extension(name, sources) for name, sources in EXTENSIONS.items()],
        include_path=["src"],
        build_dir="build/cython",
        compiler_directives={"language_level": 3, "embedsignature": True},
        quiet=True,
    )
)
