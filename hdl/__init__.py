"""Streams of frames around a program pipeline -> Amaranth components."""
