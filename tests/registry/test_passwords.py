"""Which passwords are taken: by what can be guessed, never by kinds of characters."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.registry.passwords import (
    LENGTH_MAX,
    LENGTH_MIN,
    Hasher,
    PasswordRefused,
    Reason,
    checked_password,
    typed_password,
)

CHEAP = Hasher(1, 8, 1)
LONG_PHRASE = "mưa rơi trên mái nhà ông bà ngoại ở làng Vũ Đại ngày ấy vui ghê!"

REFUSED = [
    pytest.param("", Reason.SHORT, id="nothing"),
    pytest.param("tre xanh ru", Reason.SHORT, id="eleven"),
    pytest.param("Congan@123", Reason.WELL_KNOWN, id="what-everybody-has"),
    pytest.param("Congan@123456", Reason.WELL_KNOWN, id="the-same-longer"),
    pytest.param("CôngAn@2026!!", Reason.WELL_KNOWN, id="with-marks"),
    pytest.param("C0ng@n_Phu0ng_5", Reason.WELL_KNOWN, id="digits-as-letters"),
    pytest.param("M@tkh@u123456", Reason.WELL_KNOWN, id="signs-as-letters"),
    pytest.param("mật khẩu mật khẩu", Reason.WELL_KNOWN, id="the-word-itself"),
    pytest.param("vonggac2026vonggac", Reason.WELL_KNOWN, id="the-product"),
    pytest.param("Vọng Gác Camera An Ninh", Reason.WELL_KNOWN, id="the-product-with-marks"),
    pytest.param("P@ssw0rd1234", Reason.WELL_KNOWN, id="the-worlds"),
    pytest.param("qwertyuiop123", Reason.WELL_KNOWN, id="a-row-of-keys"),
    pytest.param("!@#$%^&*()!@", Reason.WELL_KNOWN, id="the-row-with-shift"),
    pytest.param("012345678901234", Reason.WELL_KNOWN, id="counting"),
    pytest.param("phuongan24081995", Reason.WELL_KNOWN, id="a-date-of-birth"),
    pytest.param("anhyeuem01012000", Reason.WELL_KNOWN, id="love"),
    pytest.param("hikvisionadmin1", Reason.WELL_KNOWN, id="the-cameras-own"),
    pytest.param("aaaaaaaaaaaaaa", Reason.WELL_KNOWN, id="one-letter"),
    pytest.param("kzkzkzkzkzkzkz", Reason.REPEATED, id="two-letters"),
    pytest.param("............", Reason.REPEATED, id="one-sign"),
    pytest.param("Nguyễn Văn An 1990", Reason.NAME, id="his-name"),
    pytest.param("nguyenvanan@123", Reason.NAME, id="his-name-without-marks"),
    pytest.param("nvr-to-7-2026-an", Reason.NAME, id="the-box"),
    pytest.param("k" * 5 + "ab9-xqmp" * 20, Reason.LONG, id="too-long"),
    pytest.param("z" * 100_000, Reason.LONG, id="far-too-long"),
    pytest.param("nửa chữ \ud800 thôi mà", Reason.UNREADABLE, id="half-a-character"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_a_password_is_refused_with_its_reason(text: str, reason: Reason) -> None:
    names = ("Nguyễn Văn An", "nvr-to-7")
    with pytest.raises(PasswordRefused) as caught:
        checked_password(text, names)
    assert (caught.value.field, caught.value.reason) == ("password", reason)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LONG_PHRASE, id="64-characters-of-vietnamese"),
        pytest.param("trời mưa thì ướt sân 7", id="a-sentence"),
        pytest.param("tre xanh ru gió", id="lower-case-letters-alone"),
        pytest.param("913 552 608 74 31", id="digits-alone"),
        pytest.param("công an giữ giấc ngủ trẻ", id="a-well-known-word-among-others"),
        pytest.param("k" + "ab9-xqmp" * 15 + "1234567", id="128"),
        pytest.param("👮🏽🎥🐃🌾🛵🍜🐓🌧🏮🎋🥭🐉", id="pictures"),
    ],
)
def test_what_nobody_guesses_is_taken_whatever_it_is_made_of(text: str) -> None:
    assert checked_password(text, ("Nguyễn Văn An",)) == text


def test_the_long_phrase_has_64_characters() -> None:
    assert len(LONG_PHRASE) == 64
    assert len(unicodedata.normalize("NFD", LONG_PHRASE)) > 64


def test_length_is_counted_after_composition() -> None:
    eleven = unicodedata.normalize("NFD", "trời mưa to")
    assert len(eleven) > LENGTH_MIN
    with pytest.raises(PasswordRefused, match="at least 12"):
        checked_password(eleven)


def test_both_forms_of_a_text_are_one_password() -> None:
    kept = CHEAP.hash(checked_password(unicodedata.normalize("NFC", LONG_PHRASE)))
    assert CHEAP.is_right(typed_password(unicodedata.normalize("NFD", LONG_PHRASE)), kept)
    assert not CHEAP.is_right(typed_password(LONG_PHRASE[:-1]), kept)
    assert not CHEAP.is_right(typed_password(LONG_PHRASE.lower()), kept)


def test_what_is_kept_is_argon2id_with_a_salt_of_its_own() -> None:
    first, second = (Hasher().hash(LONG_PHRASE) for _ in range(2))
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert first != second


@pytest.mark.parametrize("kept", ["", "x", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA", "$1$plain"])
def test_a_damaged_hash_lets_nobody_in(kept: str) -> None:
    assert not CHEAP.is_right(LONG_PHRASE, kept)


def test_nobodys_password_is_never_right() -> None:
    assert not CHEAP.is_right("", None)
    assert not CHEAP.is_right(LONG_PHRASE, None)


@given(st.text(max_size=600))
def test_any_text_is_taken_in_nfc_or_refused(text: str) -> None:
    try:
        taken = checked_password(text)
    except PasswordRefused:
        return
    assert LENGTH_MIN <= len(taken) <= LENGTH_MAX
    assert taken == unicodedata.normalize("NFC", text)
    assert checked_password(unicodedata.normalize("NFD", text)) == taken


WELL_KNOWN = st.sampled_from(
    [
        "CongAn",
        "công an",
        "matkhau",
        "Phường",
        "camera",
        "123456",
        "2026",
        "admin",
        "!!!",
        "@",
        "qwerty",
    ]
)


@given(st.lists(WELL_KNOWN, min_size=2, max_size=10))
def test_no_row_of_well_known_words_is_taken(words: list[str]) -> None:
    with pytest.raises(PasswordRefused):
        checked_password("".join(words))


@given(st.text(alphabet="bdhklmnptuvx", min_size=14, max_size=100))
def test_a_secret_among_well_known_words_is_still_one(secret: str) -> None:
    try:
        checked_password(secret)
    except PasswordRefused:
        return
    assert checked_password(f"cong an {secret}"[:LENGTH_MAX])
