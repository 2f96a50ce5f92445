"""A hook's port: who listens there, what they are sent, what a slow or hostile one may cost.

Bounds: 24 connections a hook (hook_gate.py), of which 4 listen, 256 messages of at most 1 KiB
waiting for each (32 with pictures), 64 of at most 16 KiB from each, 50 messages a second taken from
all of them; who sends faster waits in his own socket. A message of more frames than anybody means,
or one that is begun and not ended, shuts the port for a while: libzmq has all of it in memory, and
only the end of the socket lets it go.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import zmq

from vonggac.registry.hooks import Hook, HookKind
from vonggac_appliance.hook_gate import BACKLOG, HookGate
from vonggac_appliance.hook_keys import domain_of
from vonggac_appliance.hook_limits import spare
from vonggac_appliance.hook_meter import DoorMeter
from vonggac_appliance.hook_protocol import (
    LISTEN_S,
    MESSAGE_BYTES_MAX,
    Asked,
    HookAskPicture,
    HookRefused,
    Told,
    decode_asked,
    encode_told,
)
from vonggac_appliance.sockets import DECODE_ERRORS

__all__ = ["HookDoor", "Listener"]

LISTENERS_MAX = 4
_WAITING_MAX = 256
_WAITING_WITH_PICTURES_MAX = 32
_FROM_MAX = 64
_KERNEL_BYTES = 64 * 1024
_RATE = 50.0
_BURST = 200.0
_TURN_MAX = 32
_FRAMES_MAX = 16
_HANDSHAKE_MS = 5000
_BEAT_MS = 10_000
_DEAD_MS = 30_000


@dataclass(slots=True)
class Listener:
    """A connection that said `listen`."""

    kinds: frozenset[str]
    until_s: float
    """Monotonic."""
    missed: int = 0


class HookDoor:
    """The socket of one hook. In one thread."""

    def __init__(
        self,
        hook: Hook,
        address: str,
        secret: bytes,
        context: zmq.Context[zmq.Socket[bytes]],
        now_s: float,
    ) -> None:
        """Binds it. Raises zmq.ZMQError where the port is taken."""
        self.hook = hook
        self.malformed = 0
        self.listeners: dict[bytes, Listener] = {}
        self._tokens, self._filled_s = _BURST, now_s
        self.socket = context.socket(zmq.ROUTER)
        with contextlib.ExitStack() as undo:
            undo.callback(self.socket.close)
            self._set_up(secret)
            self._meter = DoorMeter(context, self.socket, now_s)
            undo.callback(self._meter.close)
            host = f"[{address}]" if ":" in address else address
            with spare():
                self.socket.bind(f"tcp://{host}:{hook.port}")
            self._gate = HookGate(hook.number, self._meter.listener())
            undo.pop_all()

    def _set_up(self, secret: bytes) -> None:
        socket = self.socket
        socket.linger = 0
        socket.curve_server = True
        socket.curve_secretkey = secret
        socket.zap_domain = domain_of(self.hook.number)
        socket.zap_enforce_domain = True  # without an answer nobody comes in
        has_pictures = HookKind.KEY_FRAMES in self.hook.kinds
        socket.sndhwm = _WAITING_WITH_PICTURES_MAX if has_pictures else _WAITING_MAX
        socket.rcvhwm = _FROM_MAX
        socket.backlog = BACKLOG
        socket.maxmsgsize = MESSAGE_BYTES_MAX
        socket.sndbuf = socket.rcvbuf = _KERNEL_BYTES
        socket.handshake_ivl = _HANDSHAKE_MS
        socket.heartbeat_ivl, socket.heartbeat_timeout = _BEAT_MS, _DEAD_MS
        socket.setsockopt(zmq.TCP_MAXRT, _DEAD_MS)  # one that takes no bytes is closed
        socket.router_mandatory = True  # who is slow, or gone, is told apart and counted
        socket.ipv6 = True

    def close(self) -> None:
        """Ends all its connections."""
        if not self.socket.closed:
            self._meter.close()
            self.socket.close()

    @property
    def monitor(self) -> zmq.Socket[bytes]:
        """Readable when somebody has come or gone: then call `mind`."""
        return self._meter.monitor

    def mind(self, now_s: float) -> None:
        """Counts its connections, and takes in nobody else while they are enough."""
        if not self.socket.closed:
            self._gate.turn(self._meter.connections(), now_s)

    def is_flooded(self, now_s: float) -> bool:
        """Whether somebody has begun more than he ends; only `close` lets go of that."""
        return self.socket.closed or self._meter.is_too_far(now_s)

    def wants_to_read(self, now_s: float) -> bool:
        """Whether the next message may be taken; who is too fast waits in his own socket."""
        self._tokens = min(_BURST, self._tokens + (now_s - self._filled_s) * _RATE)
        self._filled_s = now_s
        return self._tokens >= 1

    def receive(self, now_s: float) -> Iterator[tuple[bytes, Asked]]:
        """What was asked, with who asked, one by one; nonsense is answered here."""
        for _ in range(_TURN_MAX):
            if self.socket.closed or not self.wants_to_read(now_s) or not self.socket.poll(0):
                return
            self._tokens -= 1
            who, *frames = self._frames()
            if len(frames) > _FRAMES_MAX:
                self.malformed += 1
                self.close()
                return
            try:
                if len(frames) != 1:
                    raise ValueError(f"a message has 1 frame, not {len(frames)}")
                asked = decode_asked(frames[0])
            except (*DECODE_ERRORS, ValueError) as error:
                self.malformed += 1
                self.send(who, HookRefused("malformed", str(error)[:200]))
            else:
                yield who, asked

    def _frames(self) -> list[bytes]:
        """Of the next message, with who sent it; of a huge one the first ones."""
        frames = [self.socket.recv()]
        while self.socket.rcvmore and len(frames) <= _FRAMES_MAX + 1:
            frame = self.socket.recv(copy=False)
            self._meter.took(frame)
            frames.append(frame.bytes)
        return frames

    def listen(self, who: bytes, kinds: frozenset[str], now_s: float) -> Listener | None:
        """`who` is told from now on, for 30 s. None: there are too many."""
        self.forget_old(now_s)
        known = self.listeners.get(who)
        if known is None and len(self.listeners) >= LISTENERS_MAX:
            return None
        if known is None:
            known = self.listeners[who] = Listener(kinds, now_s)
        known.kinds, known.until_s = kinds, now_s + LISTEN_S
        return known

    def who_listens(self, kind: str, now_s: float) -> list[bytes]:
        """To `kind`, at this moment."""
        self.forget_old(now_s)
        return [who for who, one in self.listeners.items() if kind in one.kinds]

    def refusal(self, who: bytes, asked: HookAskPicture) -> HookRefused | None:
        """Of one who does not listen: else each of 24 connections might let pictures wait."""
        if who in self.listeners:
            return None
        return HookRefused("listen", "say listen before", number=asked.number)

    def forget_old(self, now_s: float) -> None:
        """Those who have not said `listen` again."""
        for who in [who for who, one in self.listeners.items() if now_s >= one.until_s]:
            del self.listeners[who]

    def send(self, who: bytes, told: Told) -> bool:
        """False: he does not read, or is gone, or the grant is; nothing waits for him."""
        if self.socket.closed:
            return False
        try:
            self.socket.send_multipart((who, encode_told(told)), zmq.NOBLOCK)
        except zmq.Again:
            if who in self.listeners:
                self.listeners[who].missed += 1
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            with contextlib.suppress(KeyError):
                del self.listeners[who]
            return False
        return True
