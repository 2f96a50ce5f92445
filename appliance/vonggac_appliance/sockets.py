"""Unix SEQPACKET sockets: directories by class of caller, messages in parts, descriptors, peers.

What the messages mean stands in `messages*.py` and `vg/wire.h`; here is only how they travel.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import socket
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, get_args

import msgspec

from vonggac.errors import MediaError, Unavailable

__all__ = [
    "CLASSES",
    "DECODE_ERRORS",
    "Closed",
    "Message",
    "Peer",
    "SocketClass",
    "connect",
    "decode",
    "ipc_path",
    "listen",
    "peer_of",
    "prepare_class",
    "recv",
    "reachable",
    "send",
    "service_uid",
    "socket_path",
]

SocketClass = Literal["view", "operate", "machine", "events", "audit", "push", "motion"]
CLASSES: tuple[SocketClass, ...] = get_args(SocketClass)
"""One directory each under HOME/run: who may open it is who may call."""

VERSION = 1
MESSAGE_BYTES_MAX = 64 * 1024
PARTS_MAX = 1024
"""64 MiB an answer: a day of rows is 1.5 MB at most, so nothing honest comes near."""
FDS_MAX = 1
PATH_BYTES_MAX = 107
"""sun_path has 108 bytes with its zero."""

DECODE_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What MessagePack that is not ours raises: a text that is no UTF-8, a thousand brackets."""

_HEADER = struct.Struct(">HHIHH")
_CREDENTIALS = struct.Struct("3i")

StructT = TypeVar("StructT", bound=msgspec.Struct)


class Closed(Unavailable):
    """The other side ended the connection; for a server that is ordinary."""


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message, its parts joined. Who receives it owns `fds`."""

    kind: int
    request: int
    """Chosen by who asks, repeated by who answers."""
    body: bytes
    fds: tuple[int, ...] = ()

    def close_fds(self) -> None:
        """Close the descriptors that came along, if nobody wants them."""
        for fd in self.fds:
            os.close(fd)


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end, as the kernel tells it (SO_PEERCRED)."""

    pid: int
    uid: int
    gid: int


def prepare_class(home: Path, name: SocketClass) -> Path:
    """HOME/run/<class>, made with mode 2750 if missing: a socket in it inherits the group."""
    directory = home / "run" / name
    (home / "run").mkdir(mode=0o755, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        directory.mkdir()
        directory.chmod(0o2750)  # mkdir's mode passes through the umask
    return directory


def socket_path(home: Path, name: SocketClass, file: str) -> Path:
    """Where the socket `file` of a class lies; nothing is made."""
    return home / "run" / name / file


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A name of `path` that fits into sun_path, valid inside the block.

    A longer one goes through a descriptor of its directory.
    """
    if len(os.fsencode(path)) <= PATH_BYTES_MAX:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


@contextlib.contextmanager
def ipc_path(path: Path) -> Iterator[str]:
    """`ipc://` address of `path` for ZeroMQ, for as long as the block lasts."""
    with reachable(path) as name:
        yield f"ipc://{name}"


def listen(path: Path, backlog: int = 64) -> socket.socket:
    """A listening socket at `path`, mode 0660. A file left by a dead process is replaced.

    Raises Unavailable when a living process listens there.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with reachable(path) as name:
            _remove_stale(path, name)
            sock.bind(name)
        path.chmod(0o660)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def _remove_stale(path: Path, name: str) -> None:
    if not path.exists():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        probe.setblocking(False)
        answer = probe.connect_ex(name)
    if answer in (0, errno.EAGAIN):  # EAGAIN: alive, its backlog is full
        raise Unavailable(f"another process already listens on {path}")
    path.unlink(missing_ok=True)


def connect(path: Path, deadline_s: float) -> socket.socket:
    """A connection whose every send and receive ends within `deadline_s`.

    Raises Unavailable with the reason when nobody listens, or no descriptor is left.
    """
    try:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    except OSError as error:
        raise Unavailable(f"{path} cannot be reached: {_reason(error)}") from error
    sock.settimeout(deadline_s)
    try:
        with reachable(path) as name:
            sock.connect(name)
    except OSError as error:
        sock.close()
        raise Unavailable(f"nobody answers on {path}: {_reason(error)}") from error
    return sock


def peer_of(sock: socket.socket) -> Peer:
    """Who is connected, told by the kernel and not by the peer."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(raw))


def service_uid(name: str) -> int | None:
    """The uid of a service user; None where the package has not made it (development, demo)."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def send(
    sock: socket.socket,
    kind: int,
    body: msgspec.Struct | bytes | memoryview = b"",
    request: int = 0,
    fds: Sequence[int] = (),
) -> None:
    """Send a message in as many parts as it needs; descriptors travel with the first.

    Raises Closed when the peer is gone, Unavailable when it does not read in time.
    """
    raw = msgspec.msgpack.encode(body) if isinstance(body, msgspec.Struct) else body
    view = memoryview(raw)
    room = MESSAGE_BYTES_MAX - _HEADER.size
    count = max(1, -(-len(view) // room))
    if count > PARTS_MAX:
        raise MediaError("limit", f"a message of {len(view)} bytes", 0)
    for part in range(count):
        header = _HEADER.pack(VERSION, kind, request, part, int(part == count - 1))
        piece = view[part * room : (part + 1) * room]
        rights = _rights(fds) if part == 0 else []
        try:
            sock.sendmsg([header, piece], rights, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            # A caller with a non-blocking socket keeps the rest itself, which needs one part.
            if count == 1:
                raise
            raise Unavailable("the peer does not read") from None
        except OSError as error:
            raise _translated(error) from error


def recv(sock: socket.socket) -> Message:
    """The next whole message.

    Raises Closed at the end of the connection, Unavailable after the deadline, MediaError when
    the bytes are no message, BlockingIOError on a non-blocking socket with nothing to read.
    """
    kind, request, part, last, body, fds = _recv_part(sock)
    try:
        if part != 0:
            raise MediaError("value", f"part {part} without its first part", 8)
        pieces = [body]
        while not last:
            if len(pieces) == PARTS_MAX:
                raise MediaError("limit", f"a message of more than {PARTS_MAX} parts", 8)
            next_kind, next_request, part, last, body, more = _recv_part(sock)
            fds += more
            if (next_kind, next_request, part) != (kind, request, len(pieces)):
                raise MediaError("value", "parts of two messages are mixed", 8)
            pieces.append(body)
    except BaseException:
        _close_all(fds)
        raise
    return Message(kind, request, b"".join(pieces), fds)


def decode(message: Message, struct_type: type[StructT]) -> StructT:
    """The message's body as `struct_type`; MediaError if it is something else."""
    try:
        return msgspec.msgpack.decode(message.body, type=struct_type)
    except DECODE_ERRORS as error:
        raise MediaError("value", f"{struct_type.__name__}: {error}", _HEADER.size) from error


def _rights(fds: Sequence[int]) -> list[tuple[int, int, bytes]]:
    if not fds:
        return []
    if len(fds) > FDS_MAX:
        raise ValueError(f"at most {FDS_MAX} descriptor a message")
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds).tobytes())]


def _recv_part(sock: socket.socket) -> tuple[int, int, int, bool, bytes, tuple[int, ...]]:
    try:
        # Not socket.recv_fds: that of Python 3.11 drops its flags.
        raw, ancillary, flags, _ = sock.recvmsg(
            MESSAGE_BYTES_MAX, socket.CMSG_SPACE(4 * FDS_MAX), socket.MSG_CMSG_CLOEXEC
        )
    except BlockingIOError:
        raise
    except OSError as error:
        raise _translated(error) from error
    received = array("i")
    for level, kind, rights in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            received.frombytes(rights[: len(rights) - len(rights) % received.itemsize])
    fds = tuple(received)
    if not raw:
        _close_all(fds)
        raise Closed("the peer closed the connection")
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) or len(raw) < _HEADER.size:
        _close_all(fds)
        raise MediaError("short", "a message without its header, or cut off", len(raw))
    version, kind, request, part, last = _HEADER.unpack_from(raw)
    if version != VERSION or last > 1:
        _close_all(fds)
        raise MediaError("unsupported", f"message version {version}", 0)
    return kind, request, part, bool(last), raw[_HEADER.size :], fds


def _translated(error: OSError) -> Unavailable:
    if isinstance(error, TimeoutError):
        return Unavailable("the peer does not answer in time")
    if error.errno in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
        return Closed("the peer closed the connection")
    return Unavailable(_reason(error))


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
