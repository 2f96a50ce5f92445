"""The page of one camera: live and recordings. Pictures come with a look that its script opens."""

from __future__ import annotations

from flask import Blueprint, render_template

from vonggac.registry.people import PurposeCode
from vonggac_web import guard
from vonggac_web.app import services
from vonggac_web.asked import camera_id

__all__ = ["PURPOSES", "blueprint"]

blueprint = Blueprint("camera", __name__)

PURPOSES = tuple((code.value, f"purpose.{code.name.lower()}") for code in PurposeCode)
"""The closed list: what is sent and logged, and the key of its words."""


@blueprint.get("/cameras/<camera>")
def show(camera: str) -> str:
    """The page of a camera that its reader may know of."""
    session = guard.session()
    cameras, number = services().cameras, camera_id(camera)
    found = cameras.camera(session.person, number)
    alarms = services().alarms.open_of(session.person, found.code)
    return render_template(
        "camera.html",
        camera=found,
        troubles=[alarm for alarm in alarms if alarm.pictures_ns],
        learnt=cameras.learnt(session.person, number),
        sounds=cameras.sounds(session.person, number),
        viewer=session.display_name,
        purposes=PURPOSES,
    )
