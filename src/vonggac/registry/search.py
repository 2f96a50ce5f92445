"""Finding a name as people type it in a hurry: without diacritics and in any case. Pure."""

from __future__ import annotations

import unicodedata

__all__ = ["folded", "is_found"]


def folded(text: str) -> str:
    """«Ngõ Đội Cấn» as `ngo doi can`. `đ` is a letter of its own, which NFD does not part."""
    parted = unicodedata.normalize("NFD", text)
    plain = "".join(char for char in parted if not unicodedata.combining(char))
    return plain.casefold().replace("đ", "d")


def is_found(wanted: str, *texts: str) -> bool:
    """Whether every word of `wanted` stands somewhere in one of the texts."""
    searched = folded(" ".join(texts))
    return all(word in searched for word in folded(wanted).split())
