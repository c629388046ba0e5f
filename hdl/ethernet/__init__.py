"""RGMII <-> streams of frames: an Ethernet MAC of a byte per clock."""
