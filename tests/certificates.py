"""Certificates for tests: self-signed, and of an authority of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID


def make_certificate(
    folder: Path, names: tuple[str, ...] = ("box.lan", "192.168.1.10"), days: int = 90
) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named("box")
    builder = _builder(subject, subject, key, names, days)
    return _written(folder, builder.sign(key, hashes.SHA256()), key)


def make_broken_certificate(folder: Path) -> tuple[Path, Path]:
    """One whose names are no ASN.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_named("box"), _named("box"), key, (), 90)
    names = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"names")
    own = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    return _written(folder, own, key)


class Authority:
    """Vouches for cameras."""

    def __init__(self, name: str = "ward") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        builder = _builder(self._name, self._name, self._key, (), 3650)
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        own = builder.add_extension(constraints, critical=True).sign(self._key, hashes.SHA256())
        self.pem = own.public_bytes(serialization.Encoding.PEM).decode()

    def certificate(
        self,
        folder: Path,
        names: tuple[str, ...] = ("127.0.0.1",),
        days: int = 90,
        since: int = 400,
    ) -> tuple[Path, Path]:
        """One for a camera, `since` days ago and for `days` more, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_named("camera"), self._name, key, names, days, since)
        return _written(folder, builder.sign(self._key, hashes.SHA256()), key)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...],
    days: int,
    since: int = 400,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=since))
        .not_valid_after(now + timedelta(days=days))
    )
    if names:
        held: list[x509.GeneralName] = [
            x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
            for name in names
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(held), critical=False)
    return builder


def _written(
    folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    chain, secret = folder / "box.pem", folder / "box.key"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.touch(mode=0o600)
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, secret
