"""Where the page listens, and where it refuses to."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from certificates import make_certificate
from vonggac.errors import ConfigError, Unavailable
from vonggac_appliance import config
from vonggac_appliance.front_door import Door, open_door


@pytest.fixture
def doors() -> Iterator[list[Door]]:
    """Those that a test opened; closed after it."""
    opened: list[Door] = []
    yield opened
    for door in opened:
        door.listener.close()


def _open(home: Path, text: str, port: int | None = 0) -> Door:
    (home / "config.toml").write_text(text)
    return open_door(home, config.load(home).serve, port)


TLS = '[serve]\naddress = "0.0.0.0"\ncertificate = "tls/box.pem"\nkey = "tls/box.key"\n'


def test_without_a_configuration_it_is_loopback_and_no_more(home: Path, doors: list[Door]) -> None:
    doors.append(_open(home, ""))

    assert doors[0].listener.getsockname()[0] == "127.0.0.1"
    assert doors[0].url.startswith("http://127.0.0.1:")
    assert not doors[0].front.is_tls
    assert doors[0].front.has("localhost")
    assert not doors[0].front.has("box.lan")


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.10", "::", "10.0.0.1"])
def test_any_other_address_needs_tls(home: Path, address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _open(home, f'[serve]\n\naddress = "{address}"\n')

    assert "config.toml, line 3" in str(caught.value)
    assert "set certificate and key" in str(caught.value)


def test_with_tls_it_is_known_by_the_certificates_names(home: Path, doors: list[Door]) -> None:
    make_certificate(home / "tls", ("Box.Ward.vn", "*.lan", "192.168.1.10"))
    doors.append(_open(home, TLS))

    front = doors[0].front
    assert front.is_tls
    assert doors[0].url.startswith("https://0.0.0.0:")
    assert all(map(front.has, ("box.ward.vn", "a.lan", "192.168.1.10", "localhost", "127.0.0.1")))
    assert not any(map(front.has, ("ward.vn", "a.b.lan", "lan", "0.0.0.0")))


def test_old_versions_of_tls_are_refused(home: Path, doors: list[Door]) -> None:
    make_certificate(home / "tls")
    doors.append(_open(home, TLS))

    assert doors[0].context is not None
    assert doors[0].context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param('[serve]\naddress = "box"', 2, "is no IP address", id="name"),
        pytest.param('[serve]\nport = 8081\nkey = "k"', 3, "certificate is not", id="key-alone"),
        pytest.param('[serve]\ncertificate = "c"', 2, "key is not", id="certificate-alone"),
        pytest.param('[serve]\ncertificate = "c"\nkey = "k"', 2, "cannot be read", id="absent"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(home: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _open(home, text)

    assert f"line {line}: " in str(caught.value)
    assert words in str(caught.value)


def test_a_certificate_without_names_is_refused(home: Path) -> None:
    make_certificate(home / "tls", ())

    with pytest.raises(ConfigError, match=r"line 3.*names no host"):
        _open(home, TLS)


def test_a_key_that_everybody_reads_is_refused(home: Path) -> None:
    _, key = make_certificate(home / "tls")
    key.chmod(0o644)

    with pytest.raises(ConfigError, match=r"line 4.*chmod o="):
        _open(home, TLS)


def test_a_key_of_another_certificate_is_refused(home: Path) -> None:
    make_certificate(home / "other")
    make_certificate(home / "tls")
    (home / "other/box.key").replace(home / "tls/box.key")

    with pytest.raises(ConfigError, match=r"line 4.*no unencrypted PEM key"):
        _open(home, TLS)


def test_an_encrypted_key_is_refused_and_asks_nobody(home: Path) -> None:
    _, path = make_certificate(home / "tls")
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )

    with pytest.raises(ConfigError, match="no unencrypted PEM key"):
        _open(home, TLS)


def test_what_is_no_certificate_is_refused(home: Path) -> None:
    chain, _ = make_certificate(home / "tls")
    chain.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")

    with pytest.raises(ConfigError, match=r"line 3.*no certificate in PEM"):
        _open(home, TLS)


@pytest.mark.parametrize(("days", "words"), [(-1, "ended on"), (5, "ends on"), (90, "")])
def test_a_certificate_that_ends_is_served_and_said(
    home: Path, doors: list[Door], caplog: pytest.LogCaptureFixture, days: int, words: str
) -> None:
    make_certificate(home / "tls", days=days)
    doors.append(_open(home, TLS))

    assert words in caplog.text
    assert bool(caplog.records) is bool(words)


def test_a_port_that_is_taken_is_named(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Unavailable, match=f"127.0.0.1 port {port}: Address already in use"):
            _open(home, f"[serve]\nport = {port}\n", None)
