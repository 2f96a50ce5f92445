"""TLS to a camera (rtsps): the parent pumps it into a socket pair, so that a loop knows one kind.

Cameras sign their certificates themselves, for whatever name, so no authority says whose one is:
the first one a camera shows is remembered (`camera_memory`), and another one is another device.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import ssl
from dataclasses import dataclass

from vonggac.media.chunk import GapReason
from vonggac_appliance.camera_memory import SessionFailed
from vonggac_appliance.tls_pump import plain_pair, pump

_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A TLS connection and the plain end of it."""

    plain: socket.socket
    """Non-blocking. At its end, here and in the loop, the tunnel ends too."""
    certificate: bytes
    """SHA-256 of the one the camera showed."""
    pump: asyncio.Task[None]


async def open_tunnel(sock: socket.socket, timeout_s: float) -> Tunnel:
    """TLS over a connected socket, which is taken. Raises SessionFailed."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(
                sock=sock, ssl=_context(), server_hostname="", limit=_READ_BYTES
            )
    except TimeoutError as error:
        sock.close()
        raise SessionFailed(GapReason.CAMERA_OFF, "no answer to TLS") from error
    except ssl.SSLError as error:
        sock.close()
        raise SessionFailed(GapReason.REFUSED, f"no TLS with it ({error.reason})") from error
    except OSError as error:
        sock.close()
        what = f"the camera ended TLS ({os.strerror(error.errno or 0).lower()})"
        raise SessionFailed(GapReason.REFUSED, what) from error
    except BaseException:
        sock.close()
        raise
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
    ours, plain = plain_pair()
    carried = asyncio.get_running_loop().create_task(pump(reader, writer, ours))
    return Tunnel(plain, hashlib.sha256(shown).digest(), carried)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.options |= ssl.OP_NO_RENEGOTIATION  # nor another certificate once it was looked at
    context.verify_mode = ssl.CERT_NONE  # whose it is, the fingerprint says
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT@SECLEVEL=1")  # RSA of 1,024 bits, as older cameras have
    return context
