"""What it costs a loop to read the same cameras by TCP, by UDP, and by TLS through the parent.

    python bench/cameras.py [--cameras 16] [--megabits 4] [--seconds 20]

One loop, a keeper that acknowledges at once, every camera the same access units at 25 a second, in
turn by each transport. CPU of the loop's process; of TLS also that of the pump, which runs in the
recorder's parent. No disk.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import socket
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from procs import machine

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from certificates import make_certificate
from loop_rig import DURABLE, Rig, gop
from vonggac.media.chunk import Codec
from vonggac.rtsp.packetise import Packetiser, interleave
from vonggac_appliance import loop_wire
from vonggac_appliance.camera_tls import Trust, Tunnel, open_tunnel
from vonggac_appliance.camera_udp import mapped

FPS = 25
GOP = 50
LOOPBACK = "127.0.0.1"
Send = Callable[[list[bytes]], None]


def cpu_s(pid: int) -> float:
    """User and system time of a process with one thread, finer than `procs` has it."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


class Cameras:
    """`count` cameras that send one GOP over and over, by one transport."""

    def __init__(self, rig: Rig, count: int, bytes_a_unit: int) -> None:
        self.rig = rig
        self.units = gop(GOP, 1, bytes_a_unit)
        self.sends: list[Send] = []
        for number in range(count):
            self.sends.append(self.camera(number.to_bytes(16)))

    def camera(self, stream: bytes) -> Send:
        """One camera's way into the loop."""
        raise NotImplementedError

    def run(self, seconds: float) -> None:
        """In real time; each unit is packed once for all cameras."""
        packetiser = Packetiser(Codec.H264)
        began_s = time.monotonic()
        for number in range(int(seconds * FPS)):
            packets = packetiser.access_unit(self.units[number % GOP], 1000 + 3600 * number)
            for send in self.sends:
                send(packets)
            for _ in range(8):  # what keeper and parent are told meanwhile
                self.rig.turn(0)
            for keeper in self.rig.keepers:
                keeper.chunks.clear()
            time.sleep(max(0.0, began_s + (number + 1) / FPS - time.monotonic()))

    def close(self) -> None:
        """What the rig does not own."""


class Tcp(Cameras):
    def camera(self, stream: bytes) -> Send:
        with socket.create_server((LOOPBACK, 0)) as server:
            ours = socket.create_connection(server.getsockname())
            theirs, _ = server.accept()
        self.rig.attach(stream, connection=(ours, theirs))
        return lambda packets: ours.sendall(b"".join(interleave(0, one) for one in packets))


class Udp(Cameras):
    def camera(self, stream: bytes) -> Send:
        self.rig.attach(stream)
        ours, theirs = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.rig.sockets += [ours, theirs]
        theirs.bind((LOOPBACK, 0))
        ours.connect(theirs.getsockname())
        told = loop_wire.udp(stream, is_rtcp=False, camera=mapped(LOOPBACK), port=0)
        self.rig.tell(told, theirs)

        def send(packets: list[bytes]) -> None:
            for packet in packets:
                ours.send(packet)

        return send


class Tls(Cameras):
    """The pump has a process of its own, so that it can be told from the cameras."""

    def __init__(self, rig: Rig, count: int, bytes_a_unit: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        chain, key = make_certificate(Path(self._folder.name))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(chain, key)
        listener = socket.create_server((LOOPBACK, 0), backlog=count)
        ours, theirs = socket.socketpair()
        self.pump_pid = os.fork()
        if self.pump_pid == 0:
            ours.close()
            asyncio.run(_pump(count, listener.getsockname(), theirs))
            os._exit(0)
        theirs.close()
        self._control, self._listener = ours, listener
        super().__init__(rig, count, bytes_a_unit)

    def camera(self, stream: bytes) -> Send:
        raw, _ = self._listener.accept()
        ours = self._context.wrap_socket(raw, server_side=True)
        _, fds, _, _ = socket.recv_fds(self._control, 1, 1)
        plain = socket.socket(fileno=fds[0])
        self.rig.sockets.append(ours)
        self.rig.attach(stream, connection=(ours, plain))
        return lambda packets: ours.sendall(b"".join(interleave(0, one) for one in packets))

    def close(self) -> None:
        self._control.close()
        os.waitpid(self.pump_pid, 0)
        self._listener.close()
        self._folder.cleanup()


async def _pump(count: int, address: tuple[str, int], control: socket.socket) -> None:
    tunnels: list[Tunnel] = []
    for _ in range(count):
        sock = socket.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
        tunnels.append(await open_tunnel(sock, 60.0, Trust("", address[0])))
        socket.send_fds(control, [b"x"], [tunnels[-1].plain.fileno()])
        tunnels[-1].plain.close()
    await asyncio.to_thread(control.recv, 1)  # its end


def measure(kind: type[Cameras], count: int, bytes_a_unit: int, seconds: float) -> dict[str, float]:
    """CPU as a share of a core, and what came."""
    rig = Rig(blocks=4096)
    rig.keeper(acknowledges=DURABLE)
    cameras = kind(rig, count, bytes_a_unit)
    pids = [rig.process.pid, *([cameras.pump_pid] if isinstance(cameras, Tls) else [])]
    try:
        cameras.run(2.0)
        before = [cpu_s(pid) for pid in pids]
        began_s = time.monotonic()
        cameras.run(seconds)
        took_s = time.monotonic() - began_s
        shares = [(cpu_s(pid) - was) / took_s for pid, was in zip(pids, before, strict=True)]
        stats = [rig.stats(number.to_bytes(16)) for number in range(count)]
        return {
            "loop": shares[0],
            "pump": shares[1] if len(shares) > 1 else 0.0,
            "megabits": sum(s.bytes for s in stats) * 8 / 1e6 / (took_s + 2.0),
            "lost": float(sum(s.packets_lost for s in stats)),
        }
    finally:
        rig.close()
        cameras.close()


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--megabits", type=float, default=4.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    bytes_a_unit = round(options.megabits * 1e6 / 8 / FPS)
    print(machine())
    print("$ python", shlex.join(sys.argv))
    print("| transport | loop, % of a core | pump, % of a core | Mbit/s | packets lost |")
    print("|---|---|---|---|---|")
    for _ in range(options.rounds):
        for kind in (Tcp, Udp, Tls):
            found = measure(kind, options.cameras, bytes_a_unit, options.seconds)
            loop, pump = 100 * found["loop"], 100 * found["pump"]
            name = kind.__name__.upper()
            print(
                f"| {name} | {loop:.1f} | {pump:.1f} | {found['megabits']:.0f} |"
                f" {found['lost']:.0f} |",
                flush=True,
            )
    assert threading.active_count() == 1


if __name__ == "__main__":
    main()
