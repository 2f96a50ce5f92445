"""Who called, in a real audit chain: how often, and what waits while nobody writes it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from audit_rig import audit_run, chain_of
from vonggac_appliance.bus_rows import Publisher
from vonggac_appliance.clock import parse_time
from vonggac_appliance.push_lines import PushLines

HOME_LINE = Publisher("203.0.113.9", 51234, "TLSv1.3", 1)
DEADLINE_S = 60.0


def said(home: Path) -> list[tuple[str, str, str]]:
    """Lines about callers."""
    lines = [line for line in chain_of(home) if line["action"].startswith("camera publish")]
    return [(line["action"], line["object"], line["result"]) for line in lines]


def test_begin_and_end_stand_in_the_chain_with_address_port_and_tls(home: Path) -> None:
    async def run() -> None:
        lines = PushLines(home)
        lines.began(b"s" * 16, "nha12", "main", HOME_LINE)
        lines.ended(b"s" * 16)
        lines.ended(b"s" * 16)
        lines.refused("nha12", "main", 401, HOME_LINE)
        lines.refused(None, "main", 401, HOME_LINE)
        await lines.end()

    with audit_run(home):
        asyncio.run(run())
    where = "nha12/main from 203.0.113.9 port 51234, TLSv1.3"
    assert said(home) == [
        ("camera publish", where, "allowed"),
        ("camera publish end", f"{where}, for 0 s", "done"),
        ("camera publish", where, "wrong key"),
        ("camera publish", "unknown name from 203.0.113.9 port 51234, TLSv1.3", "wrong key"),
    ]


def test_a_flapping_line_and_a_guessing_stranger_do_not_fill_the_chain(home: Path) -> None:
    async def run() -> None:
        lines = PushLines(home)
        for number in range(500):
            lines.began(b"s" * 16, "nha12", "main", HOME_LINE)
            lines.ended(b"s" * 16)
            stranger = Publisher(f"198.51.100.{number % 250}", number, "TLSv1.2", 1)
            lines.began(b"t" * 16, "nha13", "main", stranger)  # many places, one budget
            lines.ended(b"t" * 16)
            for status in (401, 453):
                lines.refused("nha12", "main", status, stranger)
            lines.refused(None, "x" * 500, 401, stranger)
        await lines.end()

    with audit_run(home):
        asyncio.run(run())
    found = said(home)
    began = [what for action, what, result in found if result == "allowed"]
    assert sum("nha12" in what for what in began) == 13  # one from elsewhere, as all first ones
    assert sum("nha13" in what for what in began) == 12
    assert len([1 for action, _, _ in found if action == "camera publish end"]) == len(began)
    results = [result for _, _, result in found]
    assert (results.count("wrong key"), results.count("another one publishes")) == (8, 6)


def test_lines_wait_while_nobody_writes_the_chain(home: Path) -> None:
    async def run() -> None:
        lines = PushLines(home)
        task = asyncio.ensure_future(lines.serve())
        lines.began(b"s" * 16, "nha12", "main", HOME_LINE)
        await lines.end()  # nobody there: it gives up at once, and keeps the line
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with audit_run(home):
            task = asyncio.ensure_future(lines.serve())
            async with asyncio.timeout(DEADLINE_S):
                while not said(home):
                    await asyncio.sleep(0.02)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await lines.end()

    asyncio.run(run())
    assert len(said(home)) == 1


def test_a_line_that_waited_says_when_it_was(home: Path) -> None:
    async def run() -> None:
        lines = PushLines(home, late_s=0.5)
        lines.began(b"s" * 16, "nha12", "main", HOME_LINE)
        told_ns = time.time_ns()
        await asyncio.sleep(1.0)
        with audit_run(home):
            lines.refused("nha12", "main", 401, HOME_LINE)
            await lines.end()
        (_, what, _), (_, newer, _) = said(home)
        where, _, when = what.partition("; written late, it was at ")
        assert where == "nha12/main from 203.0.113.9 port 51234, TLSv1.3"
        assert abs(parse_time(when, 0) - told_ns) < 500_000_000
        assert newer.startswith(where)

    asyncio.run(run())
