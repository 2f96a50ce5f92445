"""Lists of the ledger: their spelling, their root, and the proof of one line."""

from __future__ import annotations

import hashlib

import pytest

from vonggac.evidence import ledger

HEAD = ledger.Head(b"d" * 16, b"s" * 16, 7, 41, 1_760_000_000_000_000_000, b"c" * 32)

# RFC 6962's own examples, as its reference implementation has them: roots of the first n leaves.
LEAVES = [
    bytes.fromhex(h)
    for h in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("count", ROOTS)
def test_the_root_is_that_of_rfc_6962(count: int) -> None:
    assert ledger.root(LEAVES[:count]) == ROOTS[count]


def climb(line: bytes, index: int, count: int, path: list[str]) -> str:
    """RFC 9162, 2.1.3.2: what an outsider does with a proof."""
    here = hashlib.sha256(b"\0" + line).digest()
    at, last = index, count - 1
    for step in path:
        beside = bytes.fromhex(step)
        if at % 2 or at == last:
            here = hashlib.sha256(b"\1" + beside + here).digest()
            while at % 2 == 0 and at:
                at, last = at // 2, last // 2
        else:
            here = hashlib.sha256(b"\1" + here + beside).digest()
        at, last = at // 2, last // 2
    return here.hex()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 13])
def test_each_line_of_a_list_is_proven_without_the_others(count: int) -> None:
    lines = [b"line %d\n" % n for n in range(count)]
    root = ledger.root(lines)
    for index, line in enumerate(lines):
        path = ledger.proof(lines, index)
        assert climb(line, index, count, path) == root
        assert climb(b"altered\n", index, count, path) != root


def test_a_head_reads_back_from_its_line() -> None:
    entry = ledger.parse(HEAD.to_text() + "\n")
    assert entry is not None
    assert ledger.Head.from_entry(entry) == HEAD


@pytest.mark.parametrize(
    "text",
    [
        '{"b":1,"a":2}',
        '{"a": 1}',
        "[1]",
        "",
        "{",
        '{"a":NaN}',
        '{"a":[1]}',
        '{"a":1.5}',
        "[" * 5000,
    ],
)
def test_what_is_no_canonical_entry_is_none(text: str) -> None:
    assert ledger.parse(text) is None


@pytest.mark.parametrize(
    ("kind", "texts", "why"),
    [
        ("secrets", ['{"a":1}'], "a list of"),
        ("heads", [], "0 lines"),
        ("tombstones", ['{"a":1}\n'], "canonical"),
        ("tombstones", ['{"a":"' + "x" * 2000 + '"}'], "canonical"),
        ("heads", ['{"a":1}'], "without its run"),
        ("heads", [HEAD.to_text().replace('"run":7', '"run":true')], "without its run"),
        ("heads", [HEAD.to_text().replace("63", "zz")], "without its run"),
    ],
)
def test_what_cannot_be_a_list_says_why(kind: str, texts: list[str], why: str) -> None:
    assert why in (ledger.fault_of(kind, texts) or "")


def test_a_list_is_well_as_it_is_sent() -> None:
    assert ledger.fault_of("heads", [HEAD.to_text()] * 200) is None
    assert ledger.fault_of("tombstones", ['{"camera":"x","rule":"người"}']) is None


def test_long_lists_are_split_in_their_order_into_what_a_message_holds() -> None:
    texts = [ledger.canonical_text({"n": n, "text": "ủ" * 300}) for n in range(500)]
    lists = ledger.split(texts)
    assert [text for part in lists for text in part] == texts
    assert all(sum(len(text.encode()) + 5 for text in part) <= 60_000 for part in lists)
    assert ledger.split([]) == []


def test_a_name_leads_below_the_ledger_only() -> None:
    name = ledger.list_name("heads", "2026-11-22T05:15:00.123Z", "ab" * 32)
    assert name == "heads/2026-11-22/051500.123Z-abababababababab.jsonl"
    assert ledger.is_list_name(name)
    assert not ledger.is_list_name("heads/../../etc/passwd")
    assert not ledger.is_list_name(f"../{name}")
