"""Certificates that are shown: taken anew without a restart, and their end told in time."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import socket
import ssl
import threading
import time
from pathlib import Path

import msgspec
import pytest
import zmq.asyncio

from certificates import make_broken_certificate, make_certificate
from push_rig import insecure
from vonggac.errors import ConfigError
from vonggac_appliance import bus_control, control
from vonggac_appliance.alarm_store import AlarmStore
from vonggac_appliance.certificate_watch import CertificateWatch
from vonggac_appliance.messages_push import PushCounts
from vonggac_appliance.page_certificate import PageCertificate
from vonggac_appliance.served_certificate import ServedCertificate

DAY_NS = 86_400 * 1_000_000_000
NOW_NS = 1_800_000_000 * 1_000_000_000


def shown(served: ServedCertificate) -> bytes:
    """SHA-256 of what a new connection is shown."""
    ours, theirs = socket.socketpair()
    context = served.context
    assert context is not None

    def serve() -> None:
        with context.wrap_socket(ours, server_side=True) as sock:
            sock.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    with insecure().wrap_socket(theirs) as sock:
        found = sock.getpeercert(binary_form=True) or b""
        sock.sendall(b"x")
    thread.join()
    return hashlib.sha256(found).digest()


def in_file(chain: Path) -> bytes:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(chain.read_text())).digest()


def served(home: Path) -> ServedCertificate:
    return ServedCertificate(home, "push", "tls/box.pem", "tls/box.key")


def test_a_renewed_certificate_is_shown_to_who_comes_then(home: Path) -> None:
    chain, _ = make_certificate(home / "tls", days=10)
    certificate = served(home)
    first = shown(certificate)
    assert first == in_file(chain)
    assert not certificate.turn()
    before_ns = certificate.ends_ns
    make_certificate(home / "tls", days=90)
    assert [certificate.turn() for _ in range(3)] == [False, True, False]
    assert shown(certificate) == in_file(chain) != first
    assert certificate.ends_ns >= before_ns + 79 * DAY_NS


def test_while_only_one_of_both_files_is_new_the_one_before_is_shown(home: Path) -> None:
    chain, key = make_certificate(home / "tls")
    certificate = served(home)
    first = shown(certificate)
    new_chain, new_key = make_certificate(home / "new")
    shutil.copy(new_chain, chain)
    assert not any(certificate.turn() for _ in range(3))
    assert shown(certificate) == first
    chain.unlink()
    assert not any(certificate.turn() for _ in range(3))
    shutil.copy(new_chain, chain)
    shutil.copy(new_key, key)
    assert any(certificate.turn() for _ in range(3))
    assert shown(certificate) == in_file(new_chain)


def test_a_key_that_was_open_to_everybody_is_taken_once_it_is_not(home: Path) -> None:
    make_certificate(home / "tls")
    certificate = served(home)
    first = shown(certificate)
    chain, key = make_certificate(home / "tls")
    key.chmod(0o644)
    assert not any(certificate.turn() for _ in range(3))
    assert shown(certificate) == first
    key.chmod(0o600)  # as the message asks for: not a byte of it changes
    assert any(certificate.turn() for _ in range(3))
    assert shown(certificate) == in_file(chain)


def test_a_certificate_without_an_end_is_told_as_one_that_ends_in_2242(home: Path) -> None:
    make_certificate(home / "tls", days=365_000)
    certificate = served(home)
    ends_ns = msgspec.msgpack.decode(
        msgspec.msgpack.encode(PushCounts(certificate_ends_ns=certificate.ends_ns)), type=PushCounts
    ).certificate_ends_ns
    assert time.gmtime(ends_ns // 1_000_000_000).tm_year == 2242


def test_names_that_cannot_be_read_leave_the_certificate_before(home: Path) -> None:
    make_certificate(home / "tls")
    certificate = served(home)
    first = shown(certificate)
    make_broken_certificate(home / "tls")
    assert not any(certificate.turn() for _ in range(3))
    assert shown(certificate) == first


def test_what_is_no_certificate_at_the_start_is_an_error(home: Path) -> None:
    with pytest.raises(ConfigError):
        served(home)
    assert ServedCertificate(home, "serve", "", "").context is None


def test_its_end_is_an_alarm_once_a_day_and_closes_when_another_one_is_shown(home: Path) -> None:
    alarms, now, raised = AlarmStore(home), [NOW_NS], list[str]()

    def alarm(kind: str, subject: str, what: str) -> None:
        raised.append(what)
        alarms.note(kind, subject, what, now[0])

    watch = CertificateWatch(
        {"push": 30}, alarm, alarms, wall=lambda: now[0], monotonic=lambda: now[0]
    )
    ends = PushCounts(certificate_ends_ns=NOW_NS + 31 * DAY_NS)
    hour_ns = DAY_NS // 24
    for _ in range(3 * 24):
        watch.turn(None)
        watch.turn(ends)
        now[0] += hour_ns
    assert len(raised) == 2
    assert "in 30 days" in raised[0]
    assert [row.is_open for row in alarms.newest(9)] == [True]
    watch.turn(PushCounts(certificate_ends_ns=NOW_NS + 365 * DAY_NS))
    (row,) = alarms.newest(9)
    assert (row.acknowledged_by, row.is_open) == ("vonggac", False)
    assert "renewed" in row.note
    now[0] = NOW_NS + 366 * DAY_NS
    watch.turn(None)
    assert "ended on" in raised[-1]
    watch.told("elsewhere", NOW_NS)  # no section that has one
    assert set(watch.ends_ns) == {"push"}
    alarms.close()


def test_who_tells_of_another_end_each_second_fills_no_alarms(home: Path) -> None:
    alarms, now = AlarmStore(home), [NOW_NS]

    def alarm(kind: str, subject: str, what: str) -> None:
        alarms.note(kind, subject, what, now[0])

    watch = CertificateWatch(
        {"push": 30}, alarm, alarms, wall=lambda: now[0], monotonic=lambda: now[0]
    )
    for second in range(3600):
        ends_ns = NOW_NS + (1 + second % 2 * 365) * DAY_NS
        watch.turn(PushCounts(certificate_ends_ns=ends_ns))
        now[0] += 1_000_000_000
    assert len(alarms.newest(10_000)) <= 7
    now[0] += DAY_NS
    watch.turn(PushCounts(certificate_ends_ns=NOW_NS + 999 * DAY_NS))
    assert watch.ends_ns["push"] == NOW_NS + 999 * DAY_NS
    alarms.close()


def test_the_page_tells_the_recorder_of_its_certificate_and_bears_that_there_is_none(
    home: Path,
) -> None:
    make_certificate(home / "tls")
    certificate = served(home)
    PageCertificate(home, certificate).turn()  # no recorder runs
    heard: list[bus_control.Control] = []

    def act(request: bus_control.Control) -> bus_control.Reply:
        heard.append(request)
        return bus_control.Ok()

    async def scene() -> None:
        with zmq.asyncio.Context() as context:
            server = control.ControlServer(home, context, act)
            task = asyncio.create_task(server.serve())
            page = PageCertificate(home, certificate)
            async with asyncio.timeout(60.0):
                while not heard:  # half a second may be too short for a busy machine
                    await asyncio.to_thread(page.turn)
                    page = page if heard else PageCertificate(home, certificate)
                first = len(heard)
                await asyncio.to_thread(page.turn)
                assert len(heard) == first  # told now and then, not each second
                make_certificate(home / "tls", days=365_000)
                while heard[-1] == heard[0]:
                    await asyncio.to_thread(page.turn)
            task.cancel()
            server.close()

    asyncio.run(scene())
    ends = [one for one in heard if isinstance(one, bus_control.CertificateSeen)]
    assert [one.section for one in ends] == ["serve"] * len(heard)
    assert ends[0].ends_ns < ends[-1].ends_ns == certificate.ends_ns
