"""Name -> shell: what a gate is built into, beside boards of our own (boards/kits)."""

from ..shell import Shell
from .axis import AXIS

SHELLS: dict[str, Shell] = {shell.name: shell for shell in (AXIS,)}
"""By name; the first is what is taken when nobody names one."""
