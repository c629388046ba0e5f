"""Calls of helpers and kernel functions -> whether the arguments suit, and what comes back."""

from collections.abc import Iterable

from ...ctx_map.helper_names import helper_name, why_not
from ...ctx_map.helpers import EFAULT, EINVAL, PROTOTYPES, Helper
from ...ctx_map.kfuncs import METADATA
from ..analysis import scalars
from ..analysis.scalars import U64, Scalar
from ..analysis.state import DESTROYED, State
from ..facts import BoundsCheck, CallMemory, LoadBytes, MetadataCall, PacketAccess
from ..insn import JumpOp
from .arguments import Arguments
from .registers import Problem

_FAR = 0xFFFF
"""The greatest offset that bpf_xdp_load_bytes looks at (kernel: bpf_xdp_pointer)."""
_TRAP = "__bpf_trap"
"""What clang 21 and later calls where behaviour is undefined."""


class Helpers(Arguments):
    """The rules of calls that leave the program."""

    def call(self, number: int, state: State) -> None:
        """A call of a helper; r0 to r5 change."""
        if number not in self.program.context.helpers:
            raise self.refusal(number)
        helper = Helper(number)
        prototype = PROTOTYPES[helper]
        self.arguments(prototype, state)
        result = None
        match helper:
            case Helper.SKB_LOAD_BYTES | Helper.XDP_LOAD_BYTES:
                result = self.load_bytes(helper, prototype.name, state)
            case Helper.XDP_GET_BUFF_LEN:
                self.accesses[self.place] = BoundsCheck(None)
            case Helper.CSUM_DIFF | Helper.TRACE_PRINTK | Helper.TRACE_VPRINTK:
                self.accesses[self.place] = CallMemory(self.inputs(prototype, state))
        if result is None:
            result = _result(prototype.values, prototype.bits)
        self.returned(result, state)

    def refusal(self, number: int) -> Problem:
        name, kind = helper_name(number), self.program.context.name
        if name is None:
            return Problem(f"there is no helper {number}")
        why = f"does not exist in a {kind} program" if number in PROTOTYPES else (
            f"is not supported: {why_not(number)}"
        )
        return Problem(f"helper {name}() ({number}) {why}", True)

    def call_kernel(self, name: str, state: State) -> None:
        """A call of a kernel function (kfunc)."""
        if name == _TRAP:
            raise Problem(
                f"this can be reached, but clang excludes it and put {name}() there; look for a"
                " variable without a value, a missing return, or __builtin_unreachable()"
            )
        legal = self.program.context.kernel_functions
        if not legal:
            raise Problem(
                f"kernel function {name}() is not available to this kind of program", True
            )
        if name not in legal:
            raise Problem(
                f"kernel function {name}() is not supported; supported are"
                f" {', '.join(sorted(legal))}", True,
            )
        function = METADATA[name]
        self.arguments(function.prototype, state)
        places = [
            self.constant_place(name, n, arg.fixed_size, state)
            for n, arg in enumerate(function.prototype.args, 1) if arg.fixed_size
        ]
        results = function.results(self.program.nic)
        for place, output in zip(places, function.outputs, strict=True):
            self.filled(place, output.size, results, state)
        self.accesses[self.place] = MetadataCall(
            function, function.answer(self.program.nic), tuple(places)
        )
        self.returned(_result([r & 0xFFFF_FFFF for r in results], 32), state)

    def returned(self, result: Scalar, state: State) -> None:
        state.regs[0] = result
        state.regs[1:6] = [DESTROYED] * 5

    def load_bytes(self, helper: Helper, name: str, state: State) -> Scalar:
        offset, size = state.regs[2], state.regs[4]
        assert isinstance(offset, Scalar)
        assert isinstance(size, Scalar)
        assert size.constant is not None
        memory = self.constant_place(name, 3, size.constant, state)
        offset = scalars.truncate(offset, 32)
        near: Scalar | None = offset
        if helper is Helper.XDP_LOAD_BYTES:
            near = scalars.refine(offset, JumpOp.LE, scalars.constant(_FAR), True)
        packet = PacketAccess((), size.constant)
        if near is not None:
            packet = self.packet_access(near, size.constant)
        self.accesses[self.place] = LoadBytes(packet, memory)
        results = list(PROTOTYPES[helper].values or ())
        if not packet.offsets:
            results.remove(0)
        if helper is Helper.SKB_LOAD_BYTES:
            self.filled(memory, size.constant, [0], state)
            return _result(results, 64)
        if offset.high <= _FAR:
            results.remove(-EFAULT)
        if near is None:
            results.remove(-EINVAL)
        self.filled(memory, size.constant, results, state)
        return _result(results, 64)


def _result(values: Iterable[int] | None, bits: int) -> Scalar:
    """What r0 can hold."""
    if values is None:
        return scalars.unknown(bits)
    return scalars.one_of([v & U64 for v in values])
