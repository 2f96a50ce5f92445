"""A client of the page for tests, which asks as a page of the box itself would."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from vonggac_appliance.services import Services
from vonggac_web.app import create_app


class Browser(FlaskClient):
    """Sends what a browser says of a request that our own page makes."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        headers = dict(kwargs.pop("headers", None) or {})
        headers.setdefault("Sec-Fetch-Site", "same-origin")
        return super().open(*args, headers=headers, **kwargs)


def browser(services: Services, token: str | None = None) -> Browser:
    """A browser of the page over `services`; with `token` it has that session's cookie."""
    app = create_app(services)
    app.test_client_class = Browser
    client = app.test_client()
    assert isinstance(client, Browser)
    if token is not None:
        name = "__Host-vonggac" if services.front.is_tls else "vonggac"
        client.set_cookie(name, token)
    return client
