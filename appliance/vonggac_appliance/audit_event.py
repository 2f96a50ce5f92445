"""What is asked of the audit chain, checked, and as the fields of its line."""

from __future__ import annotations

from datetime import UTC, datetime

from vonggac.errors import MediaError
from vonggac.evidence import chain, receipt
from vonggac.evidence.receipt import Permit
from vonggac.registry.people import Purpose, PurposeCode, local_person
from vonggac_appliance import sockets
from vonggac_appliance.messages_audit import AuditAppend

__all__ = ["check", "fields_of", "receipt_camera", "utc"]

_ID_BYTES = 16


def check(append: AuditAppend) -> None:
    """Raises MediaError for what would make a line that nobody can read."""
    texts = [append.action, append.object, append.result, append.person or "", append.role or ""]
    texts += [append.address, append.device, append.session, *(append.purpose or ())]
    if any(len(text) > chain.TEXT_MAX for text in texts):
        raise MediaError("limit", f"a text of more than {chain.TEXT_MAX} characters", 0)
    if append.permit and append.action not in chain.Action.LOOKS:
        raise MediaError("value", "a permit for an action that shows nothing", 0)
    if append.action not in chain.Action.ALL - chain.Action.OWN:
        raise MediaError("value", "an action that the chain does not know", 0)
    if append.purpose is not None and append.purpose[0] not in tuple(PurposeCode):
        raise MediaError("value", "a purpose that is not in the list", 0)
    if not all(0 <= count < 1 << 62 for count in (append.about, append.delivered_ms or 0)):
        raise MediaError("value", "a number below zero, or beyond all lines", 0)
    if len(append.search) > chain.SEARCH_MAX:
        raise MediaError("limit", f"a search of more than {chain.SEARCH_MAX} characters", 0)
    is_search = append.action in chain.Action.SEARCHES
    if bool(append.search) != is_search:
        raise MediaError("value", "a search says what it asks, and nothing else does", 0)
    if not all(-(1 << 62) < ns < 1 << 62 for ns in (append.from_ns, append.to_ns)):
        raise MediaError("value", "a range of a time that is none", 0)
    if len(append.streams) > receipt.STREAMS_MAX or {*map(len, append.streams)} - {_ID_BYTES}:
        raise MediaError("value", "more streams than a line has, or what is none", 0)
    if not append.permit:
        return
    if append.result != "allowed":
        raise MediaError("value", "a permit in a line that does not say it was allowed", 0)
    if (append.permit == Permit.SEARCH) != is_search:
        raise MediaError("value", "a permit for another act", 0)
    if append.permit not in tuple(Permit) or append.to_ns <= append.from_ns:
        raise MediaError("value", "a permit without its kind or its range", 0)
    if not append.streams or len(receipt_camera(append)) != _ID_BYTES:
        raise MediaError("value", "a permit without its camera and streams", 0)


def fields_of(append: AuditAppend, peer: sockets.Peer, *, may_name: bool) -> dict[str, chain.Value]:
    """Who, why, and what may be seen.

    `may_name`: whether the peer is believed when it says which person it acts for.
    """
    person = local_person(peer.uid)
    event: dict[str, chain.Value] = {
        "actor": person.name,
        "role": str(person.role),
        "peer": {"pid": peer.pid, "uid": peer.uid, "gid": peer.gid},
        "purpose": _purpose(append),
    }
    if may_name:
        event |= _named(append)
    if append.search:
        event["search"] = append.search
    ids: list[chain.Value] = [stream.hex() for stream in append.streams]
    if append.search and ids:
        event["cameras"] = ids
    if append.permit or (append.search and append.to_ns):  # or of a search that was refused
        event |= {"from": utc(append.from_ns), "to": utc(append.to_ns)}
    if append.permit:
        if append.permit != Permit.SEARCH:
            event |= {"camera": append.camera.hex(), "streams": ids}
        event["permit"] = Permit(append.permit).name.lower()
        if append.purpose is None or not Purpose(*_known(append.purpose)).is_told:
            event["red"] = True
    return event


def receipt_camera(append: AuditAppend) -> bytes:
    """What stands in a receipt as its camera: of a search, what it asks."""
    is_search = append.permit == Permit.SEARCH
    return receipt.search_digest(append.search) if is_search else append.camera


def utc(ns: int) -> str:
    """As the chain writes times: ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + (
        f".{ns // 1_000_000 % 1000:03d}Z"
    )


def _named(append: AuditAppend) -> dict[str, chain.Value]:
    """What `serve` says of the person, as far as it says anything."""
    event: dict[str, chain.Value] = {}
    if append.person is not None:
        event |= {"actor": append.person, "role": append.role or ""}
    parts = {"address": append.address, "device": append.device, "session": append.session}
    event.update({key: text for key, text in parts.items() if text})
    if append.about:
        event["about"] = append.about
    if append.delivered_ms is not None:
        event["delivered_ms"] = append.delivered_ms
    return event


def _known(purpose: tuple[str, str]) -> tuple[PurposeCode, str]:
    return PurposeCode(purpose[0]), purpose[1]


def _purpose(append: AuditAppend) -> chain.Value:
    if append.purpose is None:
        return None
    code, text = append.purpose
    return {"code": code, "text": text}
