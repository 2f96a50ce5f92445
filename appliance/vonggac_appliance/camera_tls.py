"""TLS to a camera (rtsps): the parent pumps it into a socket pair, so that a loop knows one kind.

Cameras sign their certificates themselves, for whatever name, so no authority says whose one is:
the first one a camera shows is remembered (`camera_memory`), and another one is another device.
Where a person has given an authority for a camera, that one and the camera's name decide instead.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import ssl
from dataclasses import dataclass

from vonggac.errors import ConfigError
from vonggac.media.chunk import GapReason
from vonggac_appliance.camera_memory import SessionFailed
from vonggac_appliance.tls_pump import plain_pair, pump

__all__ = ["Trust", "Tunnel", "check_authority", "open_tunnel"]

_READ_BYTES = 64 * 1024
_ENDED, _NOT_BEGUN = 10, 9
_NOT_ITS_NAME = (62, 64)
"""X509_V_ERR_*_MISMATCH of OpenSSL: a host's name, and an address."""
_NOT_OF_IT = (18, 19, 20, 21)
"""Signed by itself, or by somebody that is not known."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose certificates a camera may show."""

    authority: str
    """Certificates of an authority, PEM; empty: none, so the first one counts."""
    host: str
    """The name, or the address, that the certificate has to be for."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A TLS connection and the plain end of it."""

    plain: socket.socket
    """Non-blocking. At its end, here and in the loop, the tunnel ends too."""
    certificate: bytes
    """SHA-256 of the one the camera showed; empty where an authority vouches for it."""
    pump: asyncio.Task[None]


def check_authority(text: str) -> None:
    """Whether `text` holds certificates of an authority in PEM; ConfigError if it does not."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError, TypeError) as error:  # the last: no ASCII
        raise ConfigError("the file holds no certificate of an authority in PEM") from error


async def open_tunnel(sock: socket.socket, timeout_s: float, trust: Trust) -> Tunnel:
    """TLS over a connected socket, which is taken. Raises SessionFailed."""
    name = trust.host if trust.authority else ""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(
                sock=sock,
                ssl=_context(trust.authority),
                server_hostname=name,
                limit=_READ_BYTES,
            )
    except TimeoutError as error:
        sock.close()
        raise SessionFailed(GapReason.CAMERA_OFF, "no answer to TLS") from error
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise SessionFailed(*_why_not_trusted(error, trust.host)) from error
    except ssl.SSLError as error:
        sock.close()
        raise SessionFailed(*_why_no_tls(error)) from error
    except OSError as error:
        sock.close()
        how = f" ({os.strerror(error.errno).lower()})" if error.errno else ""
        what = f"it ended TLS before that began{how}: is that the port of RTSP over TLS (rtsps)?"
        raise SessionFailed(GapReason.REFUSED, what) from error
    except BaseException:
        sock.close()
        raise
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
    ours, plain = plain_pair()
    carried = asyncio.get_running_loop().create_task(pump(reader, writer, ours))
    fingerprint = b"" if trust.authority else hashlib.sha256(shown).digest()
    return Tunnel(plain, fingerprint, carried)


def _context(authority: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options |= ssl.OP_NO_RENEGOTIATION  # nor another certificate once it was looked at
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority:
        context.load_verify_locations(cadata=authority)
        return context
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # whose it is, the fingerprint says
    context.set_ciphers("DEFAULT@SECLEVEL=1")  # RSA of 1,024 bits, as older cameras have
    return context


def _why_no_tls(error: ssl.SSLError) -> tuple[GapReason, str]:
    """Of a handshake that failed for another reason than its certificate."""
    if error.reason == "WRONG_VERSION_NUMBER":  # the first bytes are no record of TLS
        what = "who answers there does not speak TLS: begin the address with rtsp://, or give the "
        return GapReason.BAD_STREAM, f"{what}port of RTSP over TLS"
    return GapReason.REFUSED, f"no TLS with it ({error.reason})"


def _why_not_trusted(error: ssl.SSLCertVerificationError, host: str) -> tuple[GapReason, str]:
    """What a certificate that its authority does not vouch for is called."""
    if error.verify_code == _ENDED:
        what = "its certificate has ended; give it another one, unless this box's clock is wrong"
        return GapReason.REFUSED, what
    if error.verify_code == _NOT_BEGUN:
        what = "its certificate does not hold yet; this box's clock may be wrong"
        return GapReason.REFUSED, what
    if error.verify_code in _NOT_ITS_NAME:
        return GapReason.OTHER_DEVICE, f"its certificate is not for {host}"
    if error.verify_code in _NOT_OF_IT:
        what = "its certificate is not of the authority that was given for it"
        return GapReason.OTHER_DEVICE, what
    return GapReason.REFUSED, f"its certificate does not hold ({error.verify_message})"
