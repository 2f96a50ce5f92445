"""Log-ins: the standards' own vectors, what cameras write, and when to stop asking."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vonggac.rtsp.auth import Authenticator, DigestAnswer, Verdict, basic_header
from vonggac.rtsp.challenges import Challenge, Scheme, parse_challenges, parse_parameters
from vonggac.rtsp.login import Login, challenge_header, is_authorized
from vonggac.rtsp.url import Credentials

ADMIN = Credentials("admin", "p@ss:w0rd")

VECTORS = {
    "RFC 2617 3.5": (
        Challenge(
            Scheme.DIGEST_MD5,
            "testrealm@host.com",
            "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            has_qop=True,
        ),
        ("Mufasa", "Circle Of Life", "0a4f113b"),
        "6629fae49393a05397450978507c4ef1",
    ),
    "RFC 7616 3.9.1 MD5": (
        Challenge(
            Scheme.DIGEST_MD5,
            "http-auth@example.org",
            "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            has_qop=True,
        ),
        ("Mufasa", "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
        "8ca523f5e9506fed4657c9700eebdbec",
    ),
    "RFC 7616 3.9.1 SHA-256": (
        Challenge(
            Scheme.DIGEST_SHA256,
            "http-auth@example.org",
            "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            has_qop=True,
        ),
        ("Mufasa", "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    ),
}


@pytest.mark.parametrize(("challenge", "login", "response"), VECTORS.values(), ids=VECTORS)
def test_the_standards_vectors_hold(
    challenge: Challenge, login: tuple[str, str, str], response: str
) -> None:
    user, password, cnonce = login
    answer = DigestAnswer(challenge, user, "GET", "/dir/index.html", 1, cnonce)
    assert answer.response(password) == response


def test_vectors_of_another_client_hold(fixtures: Path) -> None:
    path = fixtures / "rtsp/dev/gortsplib_headers/digest_vectors.json"
    if not path.exists():
        pytest.skip("no recorded vectors")
    vectors = json.loads(path.read_text())
    for case in vectors["cases"]:
        authenticator = Authenticator(Credentials(vectors["user"], vectors["pass"]), "c0ffee")
        authenticator.challenged(case["www_authenticate"], was_signed=False)
        ours = authenticator.authorization(vectors["method"], vectors["url"])
        assert ours is not None
        if ours.startswith("Basic"):
            assert ours == case["authorization"], case["name"]
        else:
            assert parse_parameters(ours) == parse_parameters(case["authorization"]), case["name"]


READ = {
    "Longse: no qop, a numeric nonce": (
        ['Digest realm="Surveillance Server", nonce="98481030"'],
        [Challenge(Scheme.DIGEST_MD5, "Surveillance Server", "98481030")],
    ),
    "stale in quotes": (
        ['Digest realm="a",nonce="b",  stale="FALSE"'],
        [Challenge(Scheme.DIGEST_MD5, "a", "b")],
    ),
    "stale without": (
        ['Digest realm="a", nonce="b", stale=true'],
        [Challenge(Scheme.DIGEST_MD5, "a", "b", is_stale=True)],
    ),
    "an empty opaque is kept": (
        ['Digest realm="a", nonce="b", opaque=""'],
        [Challenge(Scheme.DIGEST_MD5, "a", "b", opaque="")],
    ),
    "a quote that is never closed": (
        ['Digest realm="a", nonce="b, stale="FALSE"'],
        [Challenge(Scheme.DIGEST_MD5, "a", "b")],
    ),
    "a last quote that is never closed": (
        ['Digest nonce="b", realm="iPOLiS'],
        [Challenge(Scheme.DIGEST_MD5, "iPOLiS", "b")],
    ),
    "two in one field, Basic first": (
        ['Basic realm="a", Digest realm="a", nonce="b"'],
        [Challenge(Scheme.DIGEST_MD5, "a", "b"), Challenge(Scheme.BASIC, "a")],
    ),
    "SHA-256 before MD5 before Basic": (
        [
            "Basic realm=a",
            'Digest realm="a", nonce="b", algorithm="MD5"',
            'digest realm="a", nonce="b", algorithm="SHA-256", qop="auth-int,auth"',
        ],
        [
            Challenge(Scheme.DIGEST_SHA256, "a", "b", algorithm="SHA-256", has_qop=True),
            Challenge(Scheme.DIGEST_MD5, "a", "b", algorithm="MD5"),
            Challenge(Scheme.BASIC, "a"),
        ],
    ),
    "what cannot be answered is left out": (
        [
            'Digest realm="a", nonce="b", algorithm=TOKEN',
            'Digest realm="a", nonce="b", qop="auth-int"',
            'Digest realm="a"',
            "Negotiate",
            "",
            '=",',
        ],
        [],
    ),
}


@pytest.mark.parametrize(("values", "challenges"), READ.values(), ids=READ)
def test_challenges_are_read_as_cameras_write_them(
    values: list[str], challenges: list[Challenge]
) -> None:
    assert parse_challenges(values) == challenges


@settings(deadline=None)
@given(st.lists(st.text(alphabet='Digest realm="\\,=noce\x00é ', max_size=60), max_size=3))
def test_any_text_gives_challenges_or_none(values: list[str]) -> None:
    for challenge in parse_challenges(values):
        answer = DigestAnswer(challenge, "u", "PLAY", "rtsp://h/")
        assert "\n" not in answer.header("p")


def test_recorded_fields_are_read(fixtures: Path) -> None:
    room = fixtures / "rtsp/dev/gortsplib_headers"
    if not room.exists():
        pytest.skip("no recorded fields")
    rows = json.loads((room / "www_authenticate.json").read_text())
    assert [len(parse_challenges([row["value"]])) for row in rows] == [1, 1, 1, 1]
    for row in json.loads((room / "authorization.json").read_text()):
        assert parse_parameters(row["value"])[0] == row["name"].split()[0]


def test_fuzzers_findings_are_read(fixtures: Path) -> None:
    room = fixtures / "rtsp/dev/gortsplib_fuzz"
    paths = sorted(room.glob("*Auth*.bin")) + sorted(room.glob("*KeyVal*.bin"))
    if not paths:
        pytest.skip("no findings of fuzzers")
    for path in paths:
        text = path.read_bytes().decode("latin-1")
        found = parse_challenges([text, "Digest " + text, f'Digest nonce="{text}'])
        assert found == sorted(found, key=lambda one: -one.scheme), path.name
        assert all(one.nonce for one in found if one.scheme is not Scheme.BASIC), path.name


MD5 = Challenge(Scheme.DIGEST_MD5, "r", "n1", opaque="o")
SHA256 = Challenge(Scheme.DIGEST_SHA256, "r", "n1", algorithm="SHA-256", has_qop=True)
SHA512 = Challenge(Scheme.DIGEST_SHA512_256, "r", "n1", algorithm="SHA-512-256", has_qop=True)
SESSION = Challenge(
    Scheme.DIGEST_MD5, "r", "n1", algorithm="MD5-sess", has_qop=True, is_session=True
)
BASIC = Challenge(Scheme.BASIC, "r")


@pytest.mark.parametrize("challenge", [MD5, SHA256, SHA512, SESSION, BASIC])
def test_both_sides_agree_and_another_password_does_not(challenge: Challenge) -> None:
    for credentials in (ADMIN, Credentials('q"\\u', "ệ%2f"), Credentials("", "")):
        authenticator = Authenticator(credentials, "c0ffee")
        authenticator.challenged([challenge_header(challenge)], was_signed=False)
        value = authenticator.authorization("PLAY", "rtsp://h/a?b=%24/c")
        assert value is not None
        value.encode("latin-1")
        same = ("PLAY", "rtsp://h/a?b=%24/c")
        assert is_authorized(value, *same, credentials, challenge)
        assert not is_authorized(value, *same, Credentials(credentials.user, "x"), challenge)
        if challenge.scheme.is_digest:
            assert not is_authorized(value, "PLAY", "rtsp://h/a", credentials, challenge)
            assert not is_authorized(value, "SETUP", same[1], credentials, challenge)


def test_qop_count_and_algorithm_stand_unquoted_with_qop() -> None:
    """Dahua and Amcrest refuse them quoted."""
    value = DigestAnswer(SHA256, "u", "PLAY", "rtsp://h/", 11, "c").header("p")
    assert 'algorithm=SHA-256, qop=auth, nc=0000000b, cnonce="c"' in value


def test_each_answer_counts_up_and_a_new_nonce_starts_over() -> None:
    authenticator = Authenticator(ADMIN, "c")

    def count() -> str:
        return parse_parameters(authenticator.authorization("PLAY", "rtsp://h/") or "")[1]["nc"]

    authenticator.challenged([challenge_header(SHA256)], was_signed=False)
    assert [count(), count()] == ["00000001", "00000002"]
    fresh = 'Digest realm="r", nonce="n2", algorithm=SHA-256, qop="auth", stale=TRUE'
    assert authenticator.challenged([fresh], was_signed=True) is Verdict.RETRY
    assert count() == "00000001"


def test_nothing_is_said_before_a_challenge() -> None:
    assert Authenticator(ADMIN, "c").authorization("PLAY", "rtsp://h/") is None


def test_two_real_refusals_stop_and_nothing_is_said_again() -> None:
    authenticator = Authenticator(ADMIN, "c")
    nonces = [f'Digest realm="r", nonce="{number}"' for number in range(4)]
    assert authenticator.challenged(nonces[:1], was_signed=False) is Verdict.RETRY
    assert authenticator.challenged(nonces[1:2], was_signed=True) is Verdict.RETRY
    assert authenticator.challenged(nonces[2:3], was_signed=True) is Verdict.WRONG
    assert authenticator.authorization("PLAY", "rtsp://h/") is None
    assert authenticator.challenged(nonces[3:], was_signed=False) is Verdict.WRONG


def test_the_same_nonce_refused_needs_no_second_try() -> None:
    authenticator = Authenticator(ADMIN, "c")
    assert authenticator.challenged([challenge_header(MD5)], was_signed=False) is Verdict.RETRY
    assert authenticator.challenged([challenge_header(MD5)], was_signed=True) is Verdict.WRONG


def test_a_nonce_that_aged_is_no_refusal() -> None:
    authenticator = Authenticator(ADMIN, "c")
    authenticator.challenged([challenge_header(MD5)], was_signed=False)
    for number in range(20):
        stale = f'Digest realm="r", nonce="x{number}", stale=TRUE'
        assert authenticator.challenged([stale], was_signed=True) is Verdict.RETRY
        authenticator.accepted()


def test_a_camera_that_always_says_stale_is_stopped() -> None:
    authenticator = Authenticator(ADMIN, "c")
    authenticator.challenged([challenge_header(MD5)], was_signed=False)
    verdicts = [
        authenticator.challenged([f'Digest realm="r", nonce="{n}", stale=TRUE'], was_signed=True)
        for n in range(6)
    ]
    assert Verdict.WRONG in verdicts


@pytest.mark.parametrize(("most", "tries"), [(2, 3), (1, 2)])
def test_a_camera_that_calls_every_nonce_stale_locks_no_account(most: int, tries: int) -> None:
    """A wrong password, and each refusal says stale: some lock at five."""
    authenticator = Authenticator(ADMIN, "c", refusals_max=most)
    authenticator.challenged(['Digest realm="r", nonce="first"'], was_signed=False)
    said = 0
    while authenticator.authorization("DESCRIBE", "rtsp://h/") is not None:
        said += 1
        fresh = f'Digest realm="r", nonce="{said}", stale=TRUE'
        authenticator.challenged([fresh], was_signed=True)
    assert said == tries


def test_a_login_that_proved_right_may_age_like_any_other() -> None:
    """Also where it was refused before; this camera never says stale."""
    authenticator = Authenticator(ADMIN, "c", refusals_max=1)
    authenticator.challenged(['Digest realm="r", nonce="a"'], was_signed=False)
    authenticator.accepted()
    aged = authenticator.challenged(['Digest realm="r", nonce="b"'], was_signed=True)
    assert aged is Verdict.RETRY


def test_digest_is_never_followed_by_basic() -> None:
    authenticator = Authenticator(ADMIN, "c")
    authenticator.challenged([challenge_header(MD5)], was_signed=False)
    assert authenticator.challenged(["Basic realm=r"], was_signed=True) is Verdict.WEAKER
    remembered = Authenticator(ADMIN, "c", floor=Scheme.DIGEST_MD5)
    assert remembered.challenged(["Basic realm=r"], was_signed=False) is Verdict.WEAKER
    assert remembered.authorization("PLAY", "rtsp://h/") is None


def test_basic_alone_is_answered() -> None:
    authenticator = Authenticator(ADMIN, "c")
    assert authenticator.challenged(['Basic realm="VLC"'], was_signed=False) is Verdict.RETRY
    assert authenticator.authorization("PLAY", "rtsp://h/") == basic_header(ADMIN)


def test_no_credentials_and_no_known_kind_are_told_apart() -> None:
    assert Authenticator(None, "c").challenged(["Basic"], was_signed=False) is Verdict.NO_LOGIN
    unknown = Authenticator(ADMIN, "c").challenged(["Negotiate"], was_signed=False)
    assert unknown is Verdict.UNSUPPORTED


def test_no_repr_shows_a_password() -> None:
    authenticator = Authenticator(ADMIN, "c")
    authenticator.challenged(["Basic realm=r"], was_signed=False)
    for value in (ADMIN, authenticator, Login(ADMIN, (BASIC,))):
        assert ADMIN.password not in repr(value)
        assert ADMIN.user not in repr(value)
