"""What a monitoring system asks: figures, and whether this process and the box work."""

from __future__ import annotations

import ipaddress

from flask import Blueprint, Response, abort, request

from vonggac_appliance.box_metrics import CONTENT_TYPE
from vonggac_web import guard
from vonggac_web.app import services

__all__ = ["blueprint"]

blueprint = Blueprint("metrics", __name__)

_PLAIN = "text/plain; charset=utf-8"


@blueprint.get("/metrics")
@guard.public
def metrics() -> Response:
    """Prometheus' text, for addresses that the configuration names."""
    if not _may_measure(request.remote_addr or ""):
        abort(403, "not from this address: [serve] metrics_networks")
    return Response(services().status.metrics(), content_type=CONTENT_TYPE)


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


def _may_measure(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    networks = services().config.serve.metrics_networks
    return any(plain in network for network in networks)
