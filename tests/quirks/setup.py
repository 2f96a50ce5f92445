"""What SETUP agrees on, and what the session is called: rows 49 to 60."""

from __future__ import annotations

from quirk_camera import Asked, Quirk, Reply, Visit


class OddTransport(Quirk):
    """Answers SETUP with another transport field."""

    transport = ""

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "SETUP":
            reply.headers["Transport"] = self.transport
        return reply


class OtherChannels(OddTransport):
    row, name, habit = 49, "other-channels", "channels"
    transport = "RTP/AVP/TCP;unicast;interleaved=8-9"


class SingleChannel(OddTransport):
    row, name, habit = 49, "single-channel", "channels"
    transport = "RTP/AVP/TCP;unicast;interleaved=5"


class NoChannels(OddTransport):
    row, name, habit = 50, "no-channels", "no-channels"
    transport = "RTP/AVP/TCP;unicast"


class NoTcp(OddTransport):
    row, name, habit = 51, "no-tcp", "no-tcp"
    transport = "RTP/AVP;unicast;interleaved=0-1"


class OddFields(OddTransport):
    row, name, habit = 52, "odd-fields", "transport-fields"
    transport = 'ssrc= d6d6627;mode="play";RTP/AVP/TCP; interleaved=0-1;source=;unicast'


class OtherSsrc(OddTransport):
    row, name = 53, "other-ssrc"
    transport = "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=0BADF00D"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        super().spoil(asked, reply, visit)
        if asked.method == "PLAY":
            reply.headers["RTP-Info"] = f"url={asked.uri};seq=7;rtptime=7;ssrc=12AB34CD"
        return reply


class UnicastOnly(Quirk):
    """Multicast where `unicast` is missing, an error where `mode` stands."""

    row, name = 55, "unicast-only"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "SETUP":
            wanted = asked.headers["transport"]
            if "unicast" not in wanted or "mode" in wanted:
                self.complaints.append(wanted)
        return reply


class OddSession(Quirk):
    row, name, habit = 58, "odd-session", "session-field"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "SETUP":
            reply.headers["Session"] = f"   {visit.session} ; timeout=0"
        return reply


class LatestSession(Quirk):
    """Names another session with its 454, and means that one."""

    row, name, habit = 59, "latest-session", "session-changed"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method in ("PLAY", "TEARDOWN", "GET_PARAMETER"):
            reply.headers["Session"] = visit.session + "b"
            if asked.headers.get("session") != visit.session + "b":
                reply.status, reply.phrase = 454, "Session Not Found"
        return reply


class LateSession(Quirk):
    """Tells its session with the answer to PLAY, and wants it from then on."""

    row, name, habit, timeout_s = 60, "late-session", "session-late", 4

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "SETUP":
            del reply.headers["Session"]
        if asked.method == "PLAY":
            reply.headers["Session"] = f"{visit.session};timeout=4"
        if asked.method == "GET_PARAMETER" and asked.headers.get("session") != visit.session:
            self.complaints.append("a keep-alive without the session")
        return reply
