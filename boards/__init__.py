"""Devices: what a design takes of them, measured by Yosys and nextpnr."""
