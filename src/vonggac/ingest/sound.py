"""What is said where a camera's sound could be kept, and is not."""

from __future__ import annotations

from collections.abc import Sequence


def sound_not_kept(is_allowed: bool, offered: Sequence[str]) -> str:
    """One sentence for people; empty where there is nothing to say.

    `is_allowed`: the camera's basis says so. `offered`: encodings by their names in the camera's
    description. Where the basis does not allow sound its absence is what was agreed.
    """
    if not is_allowed:
        return ""
    if not offered:
        return "its basis allows sound, and it offers none"
    names = ", ".join(dict.fromkeys(offered))
    return f"its basis allows sound and it offers {names}; no sound is recorded, pictures alone are"
