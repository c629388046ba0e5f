"""No shell: the gate as it is, with AXI4-Stream on both sides, for a design of one's own."""

from ...compiler.manifest import output_files
from ..shell import Shell

AXIS = Shell("axis", "the gate itself, between two AXI4-Streams", output_files)
