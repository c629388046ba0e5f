"""A serial line <-> the registers of a gate."""
