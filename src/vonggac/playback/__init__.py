"""Recorded ranges as files that play: whole fragments, bit-exact."""
