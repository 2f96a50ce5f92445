"""Trouble in the motion process: a watch outlives the eyes that feed it."""

from __future__ import annotations

from trouble_scenes import BEFALLS, NOON_NS, S, befallen, usual
from vonggac.motion.slots import Tier
from vonggac.motion.trouble import Trouble
from vonggac_appliance.motion_eyes import Eyes
from vonggac_appliance.motion_trouble import MotionTrouble, Troubled

CAMERA, OTHER = b"c" * 16, b"o" * 16
COVERED = next(one for one in BEFALLS if one.kind is Trouble.COVERED)
LEARNT_MINUTES = 12


def test_what_is_usual_is_known_to_the_next_eyes_of_a_camera_and_to_no_other() -> None:
    told: list[Troubled] = []
    trouble = MotionTrouble(told.append)
    began_ns = NOON_NS + LEARNT_MINUTES * 60 * S
    eyes = Eyes(b"s" * 16, Tier.FULL)
    for at_ns, means in usual(7, LEARNT_MINUTES, is_night=False):
        eyes.latest = (NOON_NS + at_ns, means)
        trouble.see(CAMERA, eyes)

    eyes = Eyes(b"m" * 16, Tier.KEY)
    trouble.see(CAMERA, eyes)  # has seen nothing yet
    for at_ns, means in befallen(COVERED, 7, 5, is_night=False):
        eyes.latest = (began_ns + at_ns, means)
        trouble.see(OTHER, eyes)
        trouble.see(CAMERA, eyes)

    (one,) = told
    assert (one.camera, one.told.kind) == (CAMERA, Trouble.COVERED)


def test_of_a_camera_that_left_nothing_stays_to_compare_with() -> None:
    told: list[Troubled] = []
    trouble = MotionTrouble(told.append)
    eyes = Eyes(b"s" * 16, Tier.FULL)
    for at_ns, means in usual(7, LEARNT_MINUTES, is_night=False):
        eyes.latest = (NOON_NS + at_ns, means)
        trouble.see(CAMERA, eyes)

    trouble.keep_only({OTHER})

    for at_ns, means in befallen(COVERED, 7, 5, is_night=False):
        eyes.latest = (NOON_NS + LEARNT_MINUTES * 60 * S + at_ns, means)
        trouble.see(CAMERA, eyes)
    assert told == []
