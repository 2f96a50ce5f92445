"""From a camera's address to a session that plays: log-ins, redirects, TCP or datagrams.

The dialogue itself is `vonggac.rtsp.client`, which never sees a socket.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import replace

from vonggac.errors import ConfigError
from vonggac.media.chunk import GapReason
from vonggac.rtsp.answers import login_failure
from vonggac.rtsp.auth import Authenticator, Verdict
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.client import BUSY, ClientSession
from vonggac.rtsp.device import Device, is_proven
from vonggac.rtsp.events import Failure
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.states import State
from vonggac.rtsp.url import Credentials, parse_camera_url
from vonggac_appliance.camera_address import resolve
from vonggac_appliance.camera_asides import ask_who, give_back
from vonggac_appliance.camera_connection import CameraConnection
from vonggac_appliance.camera_dialogue import dialogue
from vonggac_appliance.camera_identity import OtherDeviceMet
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.camera_way import Tap, Way, absolute
from vonggac_appliance.config import CameraConfig

_HOPS_MAX = 3
"""Redirects, one after another."""
_STRANGERS_MAX = 2
"""Devices that are met in a camera's place in one try: who changes at every look is nobody."""
_DESCRIBED = (State.SETUP, State.PLAY, State.PLAYING)


async def open_connection(
    url_text: str,
    credentials: Credentials | None,
    config: CameraConfig,
    memory: Memory,
    transport: str = "tcp",
    authority: str = "",
    tap: Tap | None = None,
) -> CameraConnection:
    """Connects and plays. Raises SessionFailed.

    `transport`: asked for first, `tcp` or `udp`, where the camera has not taught which works.
    `authority`: certificates in PEM that have to vouch for it over TLS; empty: its first one does.
    """
    try:
        url = parse_camera_url(url_text)
    except ConfigError as error:
        raise SessionFailed(GapReason.REFUSED, str(error)) from error
    # What TLS protects is not sent beside it as datagrams.
    transport = "tcp" if url.is_tls else memory.way(transport, time.time_ns())
    address = await resolve(url, config, memory.unreachable)
    if address.sockaddr[0] in memory.unreachable:
        memory.unreachable.clear()  # all were tried, so they begin anew
    way = Way(url, address, transport, authority, tap)
    memory.logs_in_at(address.sockaddr, credentials)
    async with memory.turn():
        dialler = _Dialler(credentials, config, memory, way)
        result = await dialler.dial(way)
        if isinstance(result, Failure):
            is_refused, is_busy = dialler.authenticator.is_refused, result.status in BUSY
            if is_busy:
                memory.habits[Habit.BUSY] += 1
            wait_s = memory.refused() if is_refused else None
            if not is_refused and not is_busy:
                memory.came_to_nothing()
            raise SessionFailed(
                result.reason,
                result.detail,
                wait_s=wait_s,
                is_refused=is_refused,
                is_busy=is_busy,
                is_weaker=result == login_failure(Verdict.WEAKER),
            )
        memory.accepted()
    return result


class _Dialler:
    """Whatever it takes to one connection that plays."""

    def __init__(
        self,
        credentials: Credentials | None,
        config: CameraConfig,
        memory: Memory,
        home: Way,
    ) -> None:
        """`home`: what was entered; the device there is the only one that is told the login."""
        self._credentials = credentials
        self._config = config
        self._memory = memory
        self._home = home
        self._at_home = Device()
        """Who answered there, in this try."""
        self._seen = Device()
        """Who answers now."""
        self._connect_s = config.connect_timeout_ns / 1e9
        self.authenticator = self._fresh(credentials)

    def _fresh(self, credentials: Credentials | None) -> Authenticator:
        memory = self._memory
        return Authenticator(
            credentials,
            secrets.token_hex(8),
            floor=memory.floor,
            refusals_max=memory.refusals_max,
        )

    async def dial(self, way: Way) -> CameraConnection | Failure:
        """Follows redirects, each to an address in the camera networks. Raises SessionFailed."""
        await self._give_back_at(way)
        result = await self._attempts(way)
        for _ in range(_HOPS_MAX):
            if not isinstance(result, Failure) or not result.location:
                return result
            self._memory.habits[Habit.REDIRECT] += 1
            way = await self._redirected(way, result)
            try:
                result = await self._attempts_elsewhere(way)
            except SessionFailed as failure:
                failure.is_away = False  # who sent us there was not
                raise
        if isinstance(result, Failure) and result.location:
            return replace(result, detail=f"{result.detail}; that is one redirect too many")
        return result

    async def _attempts_elsewhere(self, way: Way) -> CameraConnection | Failure:
        """Behind a redirect. At another port of the host another camera may stand, as behind a
        router that forwards ports: it is told the login once it has shown to be the same device."""
        is_told = self._has_its_certificate(way)
        self.authenticator = self._fresh(self._credentials if is_told else None)
        await self._give_back_at(way)
        result = await self._attempts(way)
        if is_told or not isinstance(result, Failure) or result.status != 401:
            return result
        if not way.is_host_of(self._home):
            return result
        identity = self._memory.identity
        if identity.is_proven(self._seen) or is_proven(self._at_home, self._seen, identity.varying):
            self.authenticator = self._fresh(self._credentials)
            return await self._attempts(way)
        what = (
            f"it redirects to port {way.address.sockaddr[1]}, where nothing shows that it is the "
            "same device, so the login is not said there; enter that address instead"
        )
        return replace(result, reason=GapReason.REFUSED, detail=what)

    def _has_its_certificate(self, way: Way) -> bool:
        """Whether that is what was entered, or shows the same certificate (`link` looks at it)."""
        if way.is_at(self._home):
            return True
        is_tls = way.url.is_tls and self._home.url.is_tls
        is_vouched = not way.authority or way.url.host == self._home.url.host
        return way.is_host_of(self._home) and is_tls and is_vouched

    async def _give_back_at(self, way: Way) -> None:
        """Ends what an earlier life left there. Raises SessionFailed."""
        memory = self._memory

        for held in [one for one in memory.leftover if one.url == way.url.request_uri]:
            # Signed once, by itself: its nonce, or its refusal, is nothing to what follows.
            login = self._credentials if self._has_its_certificate(way) else None
            goodbye = replace(self._fresh(login), refusals_max=1)

            def look(seen: Device, goodbye: Authenticator = goodbye) -> None:
                if way.is_at(self._home):
                    in_clear = self._is_in_clear(goodbye)
                    memory.identity.look_at(seen, is_whole=False, in_clear=in_clear)

            try:
                await give_back(way, held, goodbye, self._connect_s, memory, look)
            except OtherDeviceMet:
                return  # whom the next connection looks at closely; it holds nothing of ours
            memory.leftover.remove(held)

    async def _redirected(self, way: Way, failure: Failure) -> Way:
        """Where it points. A proxy (305) is asked for what was asked for before (11.3.5)."""
        try:
            url = parse_camera_url(absolute(way.url, failure.location or ""))
        except ConfigError as error:
            what = f"{failure.detail}, which is no camera's address"
            raise SessionFailed(failure.reason, what) from error
        if self._home.url.is_tls and not url.is_tls and failure.status != 305:
            what = f"{failure.detail}, which TLS would not protect"
            raise SessionFailed(failure.reason, what)
        address = await resolve(url, self._config)
        return replace(way, url=way.url if failure.status == 305 else url, address=address)

    async def _attempts(self, way: Way) -> CameraConnection | Failure:
        """One connection; a second one to log in, one more for the transport the camera wants."""
        has_switched = False
        strangers = 0
        is_home = way.is_at(self._home)
        look = self._look_at_home if is_home else self._look
        while True:
            try:
                result = await dialogue(
                    way, self.authenticator, self._connect_s, self._memory, look
                )
            except OtherDeviceMet as met:
                strangers += 1
                # What a stranger asks for is not what the camera does.
                self.authenticator = self._fresh(self.authenticator.credentials)
                await self._ask_again(way, met, is_last=strangers > _STRANGERS_MAX)
                continue
            finally:
                if is_home:
                    self._memory.keeps_scheme(self.authenticator.scheme)
            if not isinstance(result, Failure):
                return result
            if result.should_reconnect and not self.authenticator.has_reconnected:
                self.authenticator.has_reconnected = True
                if result.status is not None:  # an answer, not the end of the connection
                    self._memory.habits[Habit.ONE_DESCRIPTION] += 1
            elif result.other_transport and not has_switched and not way.url.is_tls:
                has_switched = True
                self._memory.habits[Habit.OTHER_TRANSPORT] += 1
                way = replace(way, transport="tcp" if way.transport == "udp" else "udp")
            else:
                return result

    def _look(self, session: ClientSession) -> None:
        self._seen = session.device

    def _look_at_home(self, session: ClientSession) -> None:
        """Raises OtherDeviceMet."""
        self._seen = self._at_home = session.device
        identity = self._memory.identity
        if identity.is_newcomer(session.device):
            raise OtherDeviceMet(session.device)
        in_clear = self._is_in_clear(session.authenticator)
        is_whole = session.state in _DESCRIBED
        identity.look_at(session.device, is_whole=is_whole, in_clear=in_clear)
        if session.state is State.PLAYING:
            identity.played(session.device)

    def _is_in_clear(self, authenticator: Authenticator) -> bool:
        """Whether what is said next is the password itself, for the first time on a connection."""
        is_basic = authenticator.scheme is Scheme.BASIC and not self._home.url.is_tls
        return is_basic and not authenticator.has_proven

    async def _ask_again(self, way: Way, met: OtherDeviceMet, *, is_last: bool) -> None:
        """Somebody else seems to answer, or answers for the first time. Raises SessionFailed where
        that must not be recorded."""
        seen, identity = met.seen, self._memory.identity
        if identity.greets(Device()):
            with contextlib.suppress(SessionFailed):  # who takes one connection at a time
                identity.greets(await ask_who(way, self._connect_s, self._memory))
            return
        again = await ask_who(way, self._connect_s, self._memory)
        if not again.facts():
            what = f"another device seems to answer ({seen}), and did not say so again"
            raise SessionFailed(GapReason.OTHER_DEVICE, what)
        if identity.met(seen, again, in_clear=met.in_clear):
            if met.in_clear:
                what = f"the password is not said in the clear: {identity.sentence()}"
                raise SessionFailed(GapReason.OTHER_DEVICE, what)
            if identity.pauses or is_last:
                raise SessionFailed(GapReason.OTHER_DEVICE, identity.sentence())
        if is_last:
            what = f"it says at every connection that it is another device ({seen})"
            raise SessionFailed(GapReason.REFUSED, what)
