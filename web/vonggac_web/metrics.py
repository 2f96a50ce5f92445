"""What a monitoring system asks: figures, and whether this process and the box work."""

from __future__ import annotations

import ipaddress
import time
from typing import cast

from flask import Blueprint, Response, abort, current_app, g, request

from vonggac_appliance.box_counters import PageCounters
from vonggac_appliance.box_metrics import CONTENT_TYPE
from vonggac_web import guard
from vonggac_web.app import services

__all__ = ["blueprint"]

blueprint = Blueprint("metrics", __name__)

_EXTENSION = "vonggac-counters"
blueprint.record_once(lambda state: state.app.extensions.update({_EXTENSION: PageCounters()}))

_PLAIN = "text/plain; charset=utf-8"


@blueprint.before_app_request
def begin() -> None:
    """When the request came."""
    g.begun_s = time.monotonic()


@blueprint.after_app_request
def count(answer: Response) -> Response:
    """How long it took until the answer begins; a footage's way to the browser is not in it."""
    counters = _counters()
    if "begun_s" in g and "HTTP_UPGRADE" not in request.environ:
        counters.request(time.monotonic() - g.begun_s)
    if request.path == "/sign-in" and request.method == "POST" and answer.status_code >= 400:
        counters.sign_in_refused()
    return answer


@blueprint.get("/metrics")
@guard.public
def metrics() -> Response:
    """Prometheus' text, for addresses that the configuration names."""
    if not _may_measure(request.remote_addr or ""):
        abort(403, "not from this address: [serve] metrics_networks")
    text = services().status.metrics(_counters(), services().live.viewers)
    return Response(text, content_type=CONTENT_TYPE)


@blueprint.get("/healthz")
@guard.public
def healthz() -> Response:
    """This process answers."""
    return Response("ok\n", content_type=_PLAIN)


@blueprint.get("/readyz")
@guard.public
def readyz() -> Response:
    """The recorder answers and the audit chain can be written; else 503 with which does not."""
    missing = services().status.missing()
    said = "".join(f"{name}\n" for name in missing) or "ready\n"
    return Response(said, 503 if missing else 200, content_type=_PLAIN)


def _counters() -> PageCounters:
    return cast(PageCounters, current_app.extensions[_EXTENSION])


def _may_measure(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    networks = services().config.serve.metrics_networks
    return any(plain in network for network in networks)
