"""Instructions and memory in hexadecimal -> r0: what the public BPF conformance suite asks of a plug-in.

The suite starts the plug-in once per test, with the memory as first argument and the program on
standard input; r1 is the memory's address, r2 its size in bytes, and r0 is printed in hexadecimal.
"""

from ..compiler.decode import decode
from ..compiler.errors import InputError
from ..compiler.load.text import load_text
from ..ctx_map.descriptor import Descriptor
from .interp import ExecutionFault, Interpreter

_REGION = 4
_MEMORY = _REGION << 44


class _Machine(Interpreter):
    """The interpreter with a writable memory in place of a context."""

    def run_on(self, memory: bytearray) -> int:
        """The value of r0 after running the program on `memory`."""
        self._regions[_REGION] = self._writable[_REGION] = memory
        self._memory_size = len(memory)
        return self.run(b"", Descriptor()).r0

    def _start(self, packet: bytes, descriptor: Descriptor, ktime: int, number: int) -> None:
        super()._start(packet, descriptor, ktime, number)
        self.regs[1] = _MEMORY if self._memory_size else 0
        self.regs[2] = self._memory_size


def conformance(program_hex: str, memory_hex: str = "") -> int:
    """r0 of a program, both given in hexadecimal.

    Raises
    ------
    RxgateError
        The text is no hexadecimal, no program, or the program does what a machine refuses.
    """
    try:
        memory = bytearray.fromhex(memory_hex)
    except ValueError:
        raise InputError("the memory is not hexadecimal") from None
    machine = _Machine(decode(load_text(program_hex, "standard input")))
    try:
        return machine.run_on(memory)
    except ExecutionFault as fault:
        raise InputError(f"the program cannot go on: {fault}") from None
