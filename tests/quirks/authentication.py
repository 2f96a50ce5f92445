"""Log-ins that ask, age and refuse otherwise: rows 17 to 27."""

from __future__ import annotations

import re

from quirk_camera import Asked, Quirk, Reply, Visit
from vonggac_appliance.camera_clip import Clip

DIGEST = 'Digest realm="cam", nonce="{nonce}"'


class BasicFirst(Quirk):
    """Weakest first; the strongest has to be answered."""

    row, name = 17, "basic-first"
    challenges = ('Basic realm="cam"', DIGEST, DIGEST + ", algorithm=SHA-256")

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if "authorization" in asked.headers and "SHA-256" not in asked.headers["authorization"]:
            self.complaints.append("a weaker login than was offered")
        return reply


class BasicOnly(Quirk):
    row, name, challenges = 17, "basic-only", ('Basic realm="cam"',)


class QuotedSha256(Quirk):
    row, name, challenges = 18, "quoted-sha256", (DIGEST + ', algorithm="SHA-256"',)

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        given = asked.headers.get("authorization", 'algorithm="SHA-256"')
        if 'algorithm="SHA-256"' not in given:
            self.complaints.append("the algorithm is not written as it was asked for")
        return reply


class Sha512(Quirk):
    row, name = 18, "sha512"
    challenges = (DIGEST + ", algorithm=SHA-512-256, qop=auth",)


class QopAuth(Quirk):
    row, name = 19, "qop-auth"
    challenges = (DIGEST + ', algorithm=SHA-256, qop="auth,auth-int"',)


class UnquotedOnly(Quirk):
    row, name, challenges = 20, "unquoted-only", (DIGEST + ', algorithm=MD5, qop="auth"',)

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        given = asked.headers.get("authorization", "")
        if re.search(r'(qop|nc|algorithm)="', given):
            self.complaints.append("quotes that it does not bear")
        return reply


class OddChallenge(Quirk):
    row, name, habit = 21, "odd-challenge", "challenge"
    challenges = ('Digest realm="cam, nonce="{nonce}", opaque="", stale="FALSE"',)


class AgingNonce(Quirk):
    """Every keep-alive meets a 401 with a new nonce first."""

    row, name, habit, timeout_s, challenges = 22, "aging-nonce", "nonce-aged", 4, (DIGEST,)

    def stale(self, asked: Asked, visit: Visit) -> bool:
        if asked.method != "GET_PARAMETER":
            return False
        is_new, visit.renewed = visit.nonce == visit.renewed, ""
        return not is_new


class SignedKeepalive(Quirk):
    """Falls silent behind a keep-alive that is not signed."""

    row, name, timeout_s, challenges = 23, "signed-keepalive", 4, (DIGEST,)

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        is_first = asked.method in ("OPTIONS", "DESCRIBE") and len(visit.asked) < 3
        if not is_first and "authorization" not in asked.headers:
            self.complaints.append(f"{asked.method} is not signed")
            visit.silence()
        return reply


class ExactUri(Quirk):
    """The Digest's uri is compared byte by byte (the server does); the address is a hard one."""

    row, name, query, challenges = 24, "exact-uri", "/a%24b/?profile=1&x=%2F", (DIGEST,)


class ClosesWithChallenge(Quirk):
    row, name, habit, challenges = 25, "closes-with-401", "closes-with-challenge", (DIGEST,)
    nonce = "0123456789abcdef"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        reply.closes = reply.status == 401
        return reply


class WrongPassword(Quirk):
    """Has to be refused; counts what would lock it."""

    row, name, habit, challenges = 27, "wrong-password", "login-refused", (DIGEST,)

    def __init__(self, *clip: Clip) -> None:
        super().__init__(*clip)
        self.refusals = 0

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if "authorization" in asked.headers:
            self.refusals += 1
            reply.status, reply.phrase = 401, "Unauthorized"
            reply.headers["WWW-Authenticate"] = DIGEST.replace("{nonce}", f"{self.refusals:08}")
        return reply
