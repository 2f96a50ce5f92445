"""`vonggac camera probe`: what a camera is, what it sends, and what to change at it."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from vonggac.evidence.chain import TEXT_MAX, Action
from vonggac.probe.advice import Advice, advise
from vonggac.probe.figures import Figures
from vonggac.probe.findings import Findings, StreamFindings, facts_of
from vonggac.registry.camera import Transport
from vonggac.rtsp.url import Credentials
from vonggac_appliance import camera_known, config
from vonggac_appliance.camera_memory import Memory
from vonggac_appliance.camera_probe import Asked, probe_stream
from vonggac_appliance.cli_camera_address import parse_address, read_login
from vonggac_appliance.cli_common import UsageError, emit, leaf, note, note_event, table
from vonggac_appliance.clock import is_synchronised
from vonggac_appliance.secrets import parse_credentials

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add", "run_session", "seconds_of"]

Result = TypeVar("Result")
_SECONDS = 20
_SECONDS_MAX = 600


def add(nested: Commands) -> None:
    """Put the command behind `vonggac camera`."""
    parser = leaf(
        nested,
        "probe",
        "look at a camera: what it is, what it sends, and what to change at it",
        "vonggac camera probe rtsp://192.168.1.20/main --sub-url rtsp://192.168.1.20/sub \\\n"
        "    --credentials-file cam1.login",
        _probe,
        has_json=True,
    )
    parser.add_argument("url", metavar="URL", help="of the main stream: rtsp://…")
    parser.add_argument("--sub-url", metavar="URL", help="of the sub stream, looked at afterwards")
    parser.add_argument(
        "--credentials-file",
        metavar="FILE",
        help="`user:password` in one line, or in two; - reads stdin. Not kept",
    )
    parser.add_argument("--transport", choices=[kind.value for kind in Transport], default="tcp")
    parser.add_argument(
        "--seconds", type=int, default=_SECONDS, metavar="N", help="how long each stream (20)"
    )
    parser.add_argument(
        "--anyway",
        action="store_true",
        help="also one that is being recorded, has refused its login, or is another device by now",
    )


def _probe(args: argparse.Namespace) -> int:
    settings = config.load(args.home)
    texts = [("main", args.url)] + ([("sub", args.sub_url)] if args.sub_url is not None else [])
    urls = [(name, parse_address(text, settings.cameras)) for name, text in texts]
    if any(url.credentials is not None for _, url in urls):
        raise UsageError(
            "a login in an address is seen by every user of this machine: give it by "
            "--credentials-file (- asks for it)"
        )
    seconds = seconds_of(args, _SECONDS_MAX)
    known = camera_known.cameras_at(args.home, urls[0][1], settings.cameras)
    if not args.anyway:
        camera_known.refuse_if_recorded(args.home, known)
        camera_known.refuse_if_locking(args.home, known)
    login = args.credentials_file
    credentials = None if login is None else parse_credentials(read_login(login))
    authority = next((one.tls_authority for one in known if one.tls_authority), "")
    asked = [Asked(name, url.request_uri, args.transport, seconds, authority) for name, url in urls]
    memory = camera_known.memory_of(args.home, known, any_device=args.anyway)
    codes = [camera.code for camera in known] or [f"{urls[0][1].host}:{urls[0][1].port}"]
    note_event(args.home, Action.CAMERA_PROBE, ", ".join(codes)[:TEXT_MAX])
    note(f"looking for {seconds:.0f} s at each stream; Ctrl-C ends it and its session")
    findings = run_session(_all(asked, credentials, settings.cameras, memory))
    advice = advise(findings)
    facts = facts_of(findings) | {
        "known_as": [camera.code for camera in known],
        "advice": [{"name": one.name, "what": one.sentence} for one in advice],
    }
    emit(args, facts, "" if args.json else _text(findings, advice))
    return 1 if any(one.reason is not None for one in findings.streams) else 0


async def _all(
    asked: list[Asked],
    credentials: Credentials | None,
    settings: config.CameraConfig,
    memory: Memory,
) -> Findings:
    """One stream after the other: a camera never sees two sessions of ours."""
    streams = []
    for one in asked:
        found = await probe_stream(one, credentials, settings, memory)
        streams.append(found)
        if found.reason is not None and found.codec is None:
            break  # another address of the same camera would be refused again, or lock it
    return Findings(tuple(streams), memory.habits, is_synchronised())


def seconds_of(args: argparse.Namespace, most: int) -> float:
    """How long to look."""
    seconds: int = args.seconds
    if not 2 <= seconds <= most:
        raise UsageError(f"--seconds is 2 to {most}")
    return float(seconds)


def run_session(session: Coroutine[Any, Any, Result]) -> Result:
    """Runs it; SIGTERM and SIGHUP end it as Ctrl-C does: the session is given back first."""

    async def run() -> Result:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # we are it
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        return await session

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


# --- as text ------------------------------------------------------------------------------------


def _text(findings: Findings, advice: list[Advice]) -> str:
    said = findings.said
    rows = [["maker, by what it says", said.maker or "unknown"]]
    words = [("server", said.server), ("session name", said.session_name)]
    words += [("program", said.tool), ("realm", said.realm)]
    rows += [[name, value] for name, value in words if value]
    blocks = [table(("camera", ""), rows)]
    blocks += [table((one.name, one.url), _rows(one)) for one in findings.streams]
    if findings.habits:
        habits = sorted(findings.habits.items(), key=lambda one: one[0].row)
        met = [[str(habit.row), habit.value, str(count)] for habit, count in habits]
        blocks.append(table(("row", "habit", "met"), met))
    sentences = [f"- {one.sentence}" for one in advice] or ["- nothing to change"]
    blocks.append("\n".join(["advice", *sentences]))
    return "\n\n".join(blocks)


def _rows(found: StreamFindings) -> list[list[str]]:
    rows = []
    if found.reason is not None:
        rows.append(["no video" if found.codec is None else "ended", found.reason.words])
        rows.append(["", found.what])
    if found.codec is not None:
        login = "none" if found.login is None else found.login.word
        rows.append(["login", login])
        rows.append(["transport", str(found.transport)])
    if found.figures is not None and found.codec is not None:
        rows += _figures(found.codec.name, found.figures)
    if offered := found.said.description:
        media = [
            f"{one.kind} {'/'.join(m.encoding for m in one.rtpmaps)}".strip()
            for one in offered.media
        ]
        rows.append(["offers", ", ".join(media)])
    return rows


def _figures(codec: str, figures: Figures) -> list[list[str]]:
    size = f" {figures.width}x{figures.height}" if figures.width else ""
    rows = [["video", f"{codec}{size}"]]
    if figures.first_picture_s is not None:
        rows.append(["first picture", f"after {figures.first_picture_s:.1f} s"])
    if figures.fps is not None:
        rows.append(["pictures", f"{figures.fps:.1f} a second, {figures.damaged} damaged"])
    if figures.bitrate_bps is not None:
        rows.append(["rate", f"{figures.bitrate_bps / 1e6:.2f} Mbit/s"])
    gop = figures.gop
    if gop is not None:
        is_even = gop.most_s - gop.least_s < 0.1
        spread = "" if is_even else f", {gop.least_s:.1f} to {gop.most_s:.1f}"
        rows.append(["key frames", f"every {gop.median_s:.1f} s ({gop.pictures} pictures){spread}"])
    else:
        rows.append(["key frames", f"{figures.sync_pictures} in {figures.measured_s:.0f} s"])
    lost = f"{figures.packets_lost} of {figures.packets + figures.packets_lost} lost"
    rows.append(["packets", lost])
    if figures.clock is None:
        rows.append(["clock", "not told"])
    else:
        offset_s = figures.clock.offset_s
        way = "ahead of" if offset_s > 0 else "behind"
        rows.append(["clock", f"{abs(offset_s):.2f} s {way} this box"])
    return rows
