"""The demo's table: what the recorder's status says, in columns. Pure."""

from __future__ import annotations

from vonggac_appliance.bus_control import StatusReply, StreamStatus

_NS = 1_000_000_000
_HEAD = (
    "camera",
    "stream",
    "state",
    "codec",
    "size",
    "fps",
    "Mbit/s",
    "recorded",
    "durable",
    "gap",
)


def rows_of(now: StatusReply, before: StatusReply | None) -> list[tuple[str, ...]]:
    """A row a stream. Rates are measured between two answers of one run."""
    known: dict[tuple[str, str], StreamStatus] = {}
    if before is not None:
        known = {(c.id, s.name): s for c in before.cameras for s in c.streams}
    seconds = (now.at_ns - before.at_ns) / _NS if before is not None else 0.0
    return [
        _row(camera.id, stream, known.get((camera.id, stream.name)), seconds, now.at_ns)
        for camera in now.cameras
        for stream in camera.streams
    ]


def table(now: StatusReply, before: StatusReply | None) -> list[str]:
    """Lines for a terminal."""
    rows = [_HEAD, *rows_of(now, before)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def plain(now: StatusReply, before: StatusReply | None) -> str:
    """One line for a log."""
    return "; ".join(
        " ".join(cell for cell in row if cell not in ("", "-")) for row in rows_of(now, before)
    )


def _row(
    camera: str, stream: StreamStatus, before: StreamStatus | None, seconds: float, at_ns: int
) -> tuple[str, ...]:
    fps = rate = "-"
    if before is not None and before.run == stream.run != 0 and seconds > 0:
        fps = f"{(stream.samples - before.samples) / seconds:.1f}"
        rate = f"{(stream.bytes - before.bytes) * 8 / seconds / 1e6:.2f}"
    age = "-"
    if stream.durable_until_ns is not None and stream.state == "recording":
        # A picture may be stamped up to 40 ms before it arrives (docs/design/time.md).
        age = f"{max(0, at_ns - stream.durable_until_ns) / _NS:.1f} s ago"
    return (
        camera,
        stream.name,
        stream.state,
        stream.codec or "-",
        f"{stream.width}x{stream.height}" if stream.width else "-",
        fps,
        rate,
        f"{stream.recorded_ns // _NS} s",
        age,
        stream.gap_reason or "",
    )
