"""Names of people: what two of them have in common, and which are none."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.errors import Invalid
from vonggac.registry.people import Account, Role, checked_name, name_key


@pytest.mark.parametrize(
    "other",
    [
        "nguyễn văn an",
        "NGUYỄN VĂN AN",
        "  Nguyễn   Văn\tAn ",
        unicodedata.normalize("NFD", "Nguyễn Văn An"),
        "Ｎguyễn Văn An",
    ],
    ids=["small", "capital", "spaces", "composed-otherwise", "wide"],
)
def test_names_that_people_take_for_the_same_are_the_same(other: str) -> None:
    assert name_key(other) == name_key("Nguyễn Văn An")


def test_marks_make_another_name() -> None:
    assert name_key("Nguyễn Văn Ân") != name_key("Nguyễn Văn An")


@pytest.mark.parametrize(
    "text",
    ["", "  \t ", "a" * 65, "a" * 10_000, "An\x00", "An\u202ehn", "A\u200bn", "A\ud800"],
    ids=["empty", "spaces", "long", "endless", "zero", "direction", "unseen", "half"],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked_name(text)
    assert caught.value.field == "name"


def test_tags_and_quotes_are_letters_like_others() -> None:
    assert checked_name("<b>\"An\" & 'Bình'</b>") == "<b>\"An\" & 'Bình'</b>"


@given(st.text(max_size=300))
def test_a_name_that_is_taken_is_taken_again_as_it_is(text: str) -> None:
    try:
        name = checked_name(text)
    except Invalid:
        return
    assert checked_name(name) == name
    assert name_key(name) == name_key(text)


def test_an_account_never_shows_its_password() -> None:
    account = Account(bytes(16), "An", Role.COMMANDER, "$argon2id$secret", 0)
    assert "secret" not in f"{account} {account!r}"
    assert account.person.name == "0" * 32
