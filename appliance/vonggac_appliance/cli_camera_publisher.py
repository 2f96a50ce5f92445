"""What `vonggac camera show` says of a camera that calls: from where it is, or was last."""

from __future__ import annotations

from vonggac_appliance.bus_control import CameraStatus
from vonggac_appliance.clock import iso

__all__ = ["publisher_facts", "publisher_rows"]


def publisher_facts(status: CameraStatus | None) -> list[dict[str, object]]:
    """For `--json`; empty while no recorder runs, or nobody has called it."""
    return [
        {
            "stream": stream.name,
            "address": stream.publisher.address,
            "port": stream.publisher.port,
            "tls": stream.publisher.tls,
            "since": iso(stream.publisher.since_ns),
            "until": iso(stream.publisher.until_ns) if stream.publisher.until_ns else None,
        }
        for stream in (() if status is None else status.streams)
        if stream.publisher is not None
    ]


def publisher_rows(status: CameraStatus | None) -> list[list[str]]:
    """For the table."""
    rows = []
    for stream in () if status is None else status.streams:
        if (who := stream.publisher) is not None:
            until = f", until {iso(who.until_ns)}" if who.until_ns else ""
            rows.append([f"{stream.name} came from", f"{who}, since {iso(who.since_ns)}{until}"])
    return rows
