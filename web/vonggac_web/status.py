"""How the box is: a page that works without script, and the same for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from flask import Blueprint, Response, jsonify, render_template

from vonggac.registry.locks import Lock
from vonggac_appliance.box_facts import BoxFacts, DiskFacts
from vonggac_appliance.camera_list import counts_of
from vonggac_appliance.clock import wall_ns
from vonggac_appliance.processes import Process
from vonggac_web import figures, guard
from vonggac_web.app import services

__all__ = ["blueprint"]

blueprint = Blueprint("status", __name__)
blueprint.record_once(lambda state: figures.install(state.app))

_MS = 1_000_000


@blueprint.get("/status")
def status_page() -> str:
    """Counts of what the person may know of, then the box."""
    rows = services().cameras.rows(guard.session().person)
    return render_template(
        "status.html",
        counts=counts_of(rows),
        recorder=services().status.recorder(0.0),
        facts=services().status.facts(),
        locks=services().cameras.locks(guard.session().person),
        now_ns=wall_ns(),
    )


@blueprint.get("/api/v1/status")
def tell_status() -> Response:
    """The same for programs."""
    counts = counts_of(services().cameras.rows(guard.session().person))
    recorder, facts = services().status.recorder(0.0), services().status.facts()
    return jsonify(
        at_ms=wall_ns() // _MS,
        is_recorder_answering=recorder.is_answering,
        recorder_seen_ms=_ms(recorder.seen_ns),
        counts=asdict(counts),
        locks=[_lock(lock) for lock in services().cameras.locks(guard.session().person)],
        **_box(facts),
    )


def _box(facts: BoxFacts) -> dict[str, object]:
    clock, chain = facts.clock, facts.chain
    return {
        "found_ms": _ms(facts.at_ns or None),
        "loss_bound_ms": facts.loss_bound_ms,
        "disks": [_disk(disk) for disk in facts.disks],
        "clock": {"is_synchronised": clock.is_synchronised, "offset_s": clock.offset_s},
        "processes": [_process(process) for process in facts.processes],
        "audit": {
            "is_answering": chain.is_answering,
            "is_open": chain.is_open,
            "lines": chain.lines,
            "head": chain.head,
        },
    }


def _disk(disk: DiskFacts) -> Mapping[str, object]:
    told = disk.forecast
    return {
        "uuid": disk.uuid,
        "path": disk.path,
        "state": disk.state,
        "is_answering": disk.is_answering,
        "capacity_bytes": disk.capacity_bytes,
        "used_bytes": disk.used_bytes,
        "pinned_bytes": disk.pinned_bytes,
        "oldest_ms": _ms(disk.oldest_ns),
        "tick_ms": disk.tick_ms,
        "loss_bound_ms": disk.loss_bound_ms,
        "free_bytes": None if told is None else told.free_bytes,
        "bytes_per_s": None if told is None else told.bytes_per_s,
        "measured_over_s": None if told is None else told.over_ns // 1_000_000_000,
        "is_overwriting": None if told is None else told.is_overwriting,
        "lasts_s": None if told is None else told.lasts_s,
        "holds_s": None if told is None else told.holds_s,
    }


def _lock(lock: Lock) -> Mapping[str, object]:
    return {
        "lock": lock.number,
        "camera": lock.code,
        "from_ms": _ms(lock.from_ns),
        "to_ms": _ms(lock.to_ns),
        "case": lock.case,
        "officer": lock.officer,
        "review_ms": _ms(lock.review_ns),
    }


def _process(process: Process) -> Mapping[str, object]:
    return {
        "role": process.role,
        "number": process.number,
        "pid": process.pid,
        "memory_bytes": process.memory_bytes,
        "since_ms": _ms(process.since_ns),
    }


def _ms(ns: int | None) -> int | None:
    return None if ns is None else ns // _MS
