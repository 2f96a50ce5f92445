"""Vọng Gác, the library: no configuration, no thread and no socket at import."""
