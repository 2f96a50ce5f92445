"""The ring on a disk: segments, journal, index, recovery. The only package that opens files."""
