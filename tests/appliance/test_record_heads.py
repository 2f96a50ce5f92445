"""The newest claims of all runs on their way from the recorder to the ledger."""

from __future__ import annotations

import asyncio
from pathlib import Path

from audit_rig import audit_run
from vonggac.evidence.ledger import Head
from vonggac_appliance.audit_reading import lists_of, verify_home
from vonggac_appliance.ledger import heads_of
from vonggac_appliance.messages_keeper import StreamEnd
from vonggac_appliance.record_heads import Heads

DISK, CAMERA, MAIN = b"d" * 16, b"c" * 16, b"m" * 16


def end(run: int, sequence: int, claim: bytes = b"h") -> StreamEnd:
    return StreamEnd(CAMERA, MAIN, run, sequence, 1000 + sequence, claim_sha256=claim * 32)


def heads_in(home: Path) -> list[Head]:
    return list(heads_of(home, lists_of(home)))


def test_the_newest_claim_of_each_run_is_written(home: Path) -> None:
    heads = Heads(home)
    heads.note(DISK, [end(1, 0), end(1, 1, b"i")])
    heads.note(DISK, [end(2, 0)])
    with audit_run(home):
        asyncio.run(heads.end())
    assert heads_in(home) == [
        Head(DISK, MAIN, 1, 1, 1001, b"i" * 32),
        Head(DISK, MAIN, 2, 0, 1000, b"h" * 32),
    ]
    assert verify_home(home).problems == ()


def test_a_run_that_did_not_go_on_is_not_written_again(home: Path) -> None:
    heads = Heads(home)
    with audit_run(home):
        heads.note(DISK, [end(1, 0)])
        asyncio.run(heads.end())
        heads.note(DISK, [end(2, 0)])
        asyncio.run(heads.end())
        asyncio.run(heads.end())
    assert [head.run for head in heads_in(home)] == [1, 2]


def test_heads_wait_while_nobody_writes_the_ledger(home: Path) -> None:
    heads = Heads(home)
    heads.note(DISK, [end(1, 0), end(2, 0)])
    asyncio.run(heads.end())
    heads.note(DISK, [end(2, 5)])
    with audit_run(home):
        asyncio.run(heads.end())
    assert [(head.run, head.sequence) for head in heads_in(home)] == [(1, 0), (2, 5)]


def test_a_run_that_this_keeper_wrote_nothing_of_has_no_head(home: Path) -> None:
    heads = Heads(home)
    heads.note(DISK, [end(1, 0, b"")])
    with audit_run(home):
        asyncio.run(heads.end())
    assert heads_in(home) == []


def test_heads_are_sent_again_and_again(home: Path) -> None:
    async def until_written() -> None:
        heads = Heads(home, every_s=0.05)
        heads.note(DISK, [end(1, 0)])
        serving = asyncio.create_task(heads.serve())
        async with asyncio.timeout(30):
            while len(heads_in(home)) < 3:
                heads.note(DISK, [end(1, len(heads_in(home)))])
                await asyncio.sleep(0.01)
        serving.cancel()

    with audit_run(home):
        asyncio.run(until_written())
