"""Names found without diacritics."""

from __future__ import annotations

import unicodedata

import pytest

from vonggac.registry.search import folded, is_found


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        pytest.param("Ngõ Đội Cấn", "ngo doi can", id="composed"),
        pytest.param(unicodedata.normalize("NFD", "Ngõ Đội Cấn"), "ngo doi can", id="decomposed"),
        pytest.param("TỔ 7 – ngã ba đường", "to 7 – nga ba duong", id="upper"),
        pytest.param("", "", id="empty"),
    ],
)
def test_diacritics_and_case_are_no_matter(text: str, plain: str) -> None:
    assert folded(text) == plain


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param("doi can", True, id="plain"),
        pytest.param("Cấn đội", True, id="any-order"),
        pytest.param("cam7 ngo", True, id="over-several-texts"),
        pytest.param("  ", True, id="nothing-wanted"),
        pytest.param("cam8", False, id="another"),
        pytest.param("<b>", False, id="tags"),
    ],
)
def test_every_word_has_to_stand_somewhere(wanted: str, found: bool) -> None:
    assert is_found(wanted, "cam7", "ngõ Đội Cấn", "tổ 3") is found
