"""`audit run` and callers whose words are wrong."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from audit_rig import ADD, CAMERA, CUT, MAIN, SIGNED_IN, Run
from vonggac.errors import Refused
from vonggac_appliance import audit_client, sockets
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages import Refused as RefusedMessage
from vonggac_appliance.messages_audit import AuditAppend, AuditReceipt


@pytest.mark.parametrize(
    "wrong",
    [
        AuditAppend(action="dance", object="c", purpose=None),
        AuditAppend(action="audit start", object="c", purpose=None),
        AuditAppend(action="cut", object="c" * 501, purpose=None),
        AuditAppend(action="cut", object="c", purpose=("vui", "x")),
        AuditAppend(action="cut", object="c", purpose=None, permit=1),
        AuditAppend(action="cut", object="c", purpose=None, permit=9, camera=CAMERA),
        AuditAppend("cut", "c", None, permit=1, camera=CAMERA, streams=(b"x",), to_ns=1),
        AuditAppend("cut", "c", None, permit=1, camera=CAMERA, streams=(MAIN,), to_ns=1 << 63),
        msgspec.structs.replace(CUT, result="refused: no agreement"),
        msgspec.structs.replace(CUT, action="camera add"),
        msgspec.structs.replace(SIGNED_IN, device="d" * 501),
        msgspec.structs.replace(SIGNED_IN, about=-1),
        msgspec.structs.replace(SIGNED_IN, delivered_ms=1 << 62),
    ],
    ids=[
        "action",
        "start",
        "long",
        "purpose",
        "no-range",
        "permit",
        "stream",
        "time",
        "a-receipt-under-a-refusal",
        "a-receipt-under-another-act",
        "a-long-device",
        "a-line-below-zero",
        "more-than-all-time",
    ],
)
def test_a_malformed_append_is_refused_and_leaves_no_line(
    home: Path, run: Run, wrong: AuditAppend
) -> None:
    with run():
        with pytest.raises(Refused):
            audit_client.append(home, wrong)
        assert audit_client.append(home, ADD).line == 2


@pytest.mark.parametrize(
    "body",
    [b"\x81\xa6action\xa2\xff\xfe", b"\x81\xa1z" + b"\x91" * 60_000 + b"\0"],
    ids=["no-utf-8", "a-thousand-brackets"],
)
def test_what_cannot_be_decoded_is_refused_and_ends_nobody(
    home: Path, run: Run, body: bytes
) -> None:
    path = sockets.socket_path(home, "audit", "append.sock")
    with run(), sockets.connect(path, 5) as caller:
        sockets.send(caller, Kind.AUDIT_APPEND, body, request=4)
        assert sockets.decode(sockets.recv(caller), RefusedMessage).code == "malformed"
        assert audit_client.append(home, ADD).line == 2


def test_bytes_that_are_no_message_end_that_caller_alone(home: Path, run: Run) -> None:
    path = sockets.socket_path(home, "audit", "append.sock")
    with run(), sockets.connect(path, 5) as good, sockets.connect(path, 5) as bad:
        bad.send(b"?")
        with pytest.raises(sockets.Closed):
            sockets.recv(bad)
        sockets.send(good, 999, b"", request=4)
        refusal = sockets.recv(good)
        assert refusal.request == 4
        assert sockets.decode(refusal, RefusedMessage).code == "malformed"
        for number in range(3):
            sockets.send(good, Kind.AUDIT_APPEND, ADD, request=number)
        answers = [sockets.recv(good) for _ in range(3)]
        assert [sockets.decode(answer, AuditReceipt).line for answer in answers] == [2, 3, 4]
