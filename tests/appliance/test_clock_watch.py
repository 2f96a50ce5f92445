"""The recorder's watch over the box's clock, and the note that a person takes away."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vonggac.errors import StorageError
from vonggac_appliance import clock_watch
from vonggac_appliance.cli import main
from vonggac_appliance.clock_watch import ClockWatch

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
NOW = 1_795_305_600 * SECOND


@dataclass
class Machine:
    """Two clocks, of which one can be set, and what keeps it."""

    home: Path
    wall_ns: int = NOW
    boot_ns: int = 5 * SECOND
    is_kept: bool = True
    alarms: list[tuple[str, str, str]] = field(default_factory=list)

    def watch(self) -> ClockWatch:
        return ClockWatch(
            self.home,
            lambda *alarm: self.alarms.append(alarm),
            wall=lambda: self.wall_ns,
            boot=lambda: self.boot_ns,
            is_kept=lambda: self.is_kept,
        )

    def pass_by(self, ns: int) -> None:
        self.wall_ns += ns
        self.boot_ns += ns


@pytest.fixture
def machine(home: Path) -> Machine:
    return Machine(home)


def test_a_step_is_an_alarm_and_stands_until_it_is_confirmed(machine: Machine) -> None:
    watch = machine.watch()
    machine.pass_by(SECOND)
    assert not watch.turn()
    machine.wall_ns -= HOUR
    machine.pass_by(SECOND)
    assert watch.turn()
    ((kind, subject, what),) = machine.alarms
    assert (kind, subject) == ("clock-step", "clock")
    assert "set back 1 h 0 min" in what and "vonggac clock confirm" in what
    note = watch.step()
    assert note is not None
    assert (note.step_ns, note.at_ns, note.count) == (-HOUR, machine.wall_ns, 1)

    again = machine.watch()  # the recorder was restarted
    assert again.step() == note
    assert clock_watch.confirm(machine.home) == note
    assert again.step() is None
    assert clock_watch.confirm(machine.home) is None


def test_time_that_comes_from_the_network_later_is_the_second_of_two_steps(
    machine: Machine,
) -> None:
    """A dead RTC: 1970 at the start, then the true time."""
    machine.wall_ns, machine.is_kept = 100 * SECOND, False
    watch = machine.watch()
    watch.recorded(NOW - HOUR)
    machine.pass_by(20 * SECOND)
    watch.turn()
    machine.wall_ns, machine.is_kept = NOW, True
    watch.turn()
    assert ["behind what is recorded" in a[2] for a in machine.alarms] == [True, False]
    note = watch.step()
    assert note is not None
    assert (note.count, note.step_ns) == (2, NOW - 120 * SECOND)
    assert watch.is_synced and watch.synced_for_ns() == 0


def test_a_disk_whose_newest_pictures_are_in_the_past_is_as_it_should_be(machine: Machine) -> None:
    machine.watch().recorded(NOW - HOUR)
    assert machine.alarms == []


def test_how_long_the_clock_was_kept_begins_anew_with_a_step_or_a_loss(machine: Machine) -> None:
    watch = machine.watch()
    machine.pass_by(HOUR)
    watch.turn()
    assert watch.synced_for_ns() == HOUR
    machine.wall_ns += 2 * HOUR
    watch.turn()
    assert watch.synced_for_ns() == 0
    machine.pass_by(HOUR)
    watch.turn()
    assert watch.synced_for_ns() == HOUR
    machine.is_kept = False
    machine.pass_by(31 * SECOND)
    assert watch.turn()
    assert not watch.is_synced and watch.synced_for_ns() == 0


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"[1]", b"{}"])
def test_a_note_that_cannot_be_read_waits_for_a_person_too(home: Path, raw: bytes) -> None:
    (home / "clock-step").write_bytes(raw)
    assert clock_watch.unconfirmed(home) is not None
    assert clock_watch.confirm(home) is not None
    assert clock_watch.unconfirmed(home) is None


def test_an_empty_file_as_tmpfiles_makes_it_is_no_step(home: Path) -> None:
    (home / "clock-step").touch()
    assert clock_watch.unconfirmed(home) is None


def test_who_may_not_confirm_is_told_so(machine: Machine) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    watch = machine.watch()
    machine.wall_ns += HOUR
    watch.turn()
    (machine.home / "clock-step").chmod(0o440)
    with pytest.raises(StorageError):
        clock_watch.confirm(machine.home)
    assert watch.step() is not None


def test_the_command_tells_of_the_step_and_takes_it_away(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = machine.watch()
    machine.wall_ns += 366 * 24 * HOUR
    watch.turn()
    arguments = ["--home", str(machine.home), "clock"]
    assert main([*arguments, "status"]) == 0
    assert "set forward 366 d 0 h" in capsys.readouterr().out
    assert main([*arguments, "confirm"]) == 0
    said = capsys.readouterr()
    assert "confirmed" in said.out and "audit run" in said.err
    assert main([*arguments, "confirm", "--json"]) == 0
    assert '"confirmed": false' in capsys.readouterr().out
