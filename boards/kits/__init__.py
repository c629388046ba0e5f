"""Name -> board."""

from ..kit import Kit
from .versa_ecp5 import VERSA_ECP5

KITS: dict[str, Kit] = {kit.name: kit for kit in (VERSA_ECP5,)}
"""By name."""
