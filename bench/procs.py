"""What a tree of processes costs, read from /proc: CPU seconds, memory, descriptors, threads."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of all processes of a tree together."""

    cpu_s: float
    """User and system time, ended and waited-for children included."""
    pss_bytes: int
    """Proportional set size: a page shared by n processes counts 1/n in each."""
    anonymous_bytes: int
    """Of it, what the processes allocated."""
    arena_bytes: int
    """Of it, what they share without a file: arenas."""
    descriptors: int
    threads: int
    processes: int


def tree(pid: int) -> list[int]:
    """`pid` and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended while we looked
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        queue.extend(children.get(current, ()))
    return found


def children(pid: int) -> list[int]:
    """Of a process with one thread that forks, or of one that has only one."""
    return [int(x) for x in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cost(pids: list[int]) -> Cost:
    """The sum over `pids`; a process that ended meanwhile counts nothing."""
    cpu = descriptors = threads = processes = 0
    kib = dict.fromkeys(("Pss", "Pss_Anon", "Pss_Shmem"), 0)
    for pid in pids:
        base = Path("/proc") / str(pid)
        try:
            fields = (base / "stat").read_text().rpartition(")")[2].split()
            rollup = (base / "smaps_rollup").read_text()
            descriptors += len(os.listdir(base / "fd"))
        except OSError:
            continue
        cpu += sum(int(f) for f in fields[11:15])
        threads += int(fields[17])
        processes += 1
        for name, _, rest in (line.partition(":") for line in rollup.splitlines()[1:]):
            if name in kib:
                kib[name] += int(rest.split()[0])
    pss, anonymous, shared = (1024 * amount for amount in kib.values())
    return Cost(cpu / _TICKS_A_SECOND, pss, anonymous, shared, descriptors, threads, processes)


def machine() -> str:
    """One line on the machine, for the head of a table."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return (
        f"{os.cpu_count()} × {model}, {memory_kib / 2**20:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def write_counters(device: str) -> tuple[int, int, int]:
    """(writes, bytes written, flushes) of a block device such as `loop0`, from its `stat`."""
    fields = Path(f"/sys/block/{device}/stat").read_text().split()
    return int(fields[4]), int(fields[6]) * 512, int(fields[15]) if len(fields) > 15 else 0
