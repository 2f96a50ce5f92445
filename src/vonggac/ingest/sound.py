"""What is said of a camera's sound: what is recorded of it, and what is not."""

from __future__ import annotations

from collections.abc import Sequence

_CARRIED = ("MPEG4-GENERIC", "AAC", "PCMA", "PCMU", "OPUS")
"""Names in a description of what a file can carry."""


def sound_not_kept(is_allowed: bool, offered: Sequence[str], is_udp: bool = False) -> str:
    """One sentence for people, where a camera's sound is not recorded; empty where there is nothing
    to say.

    `is_allowed`: the camera's basis says so. `offered`: encodings by their names in the camera's
    description. Where the basis does not allow sound its absence is what was agreed.
    """
    if not is_allowed:
        return ""
    if not offered:
        return "its basis allows sound, and it offers none"
    names = ", ".join(dict.fromkeys(offered))
    why = "the camera did not grant it, or gave no pictures either when it was asked"
    if not any(name in _CARRIED for name in offered):
        why = "a file cannot carry that"
    elif is_udp:
        why = "sound is recorded over TCP alone, and this camera sends datagrams"
    return f"its basis allows sound and it offers {names}; no sound is recorded: {why}"
