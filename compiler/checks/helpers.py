"""Helper calls -> whether the arguments are what the prototype asks for, and what comes back."""


from ...ctx_map.helpers import PROTOTYPES, Arg, Helper
from ..analysis import scalars
from ..analysis.scalars import Scalar
from ..analysis.state import (
    DESTROYED,
    Lane,
    Pointer,
    Region,
    State,
)
from ..facts import BoundsCheck, LoadBytes
from ..insn import (
    STACK_SIZE,
)
from .memory import Memory
from .registers import Problem


class Helpers(Memory):
    """The rules of calls to helpers."""

    def call(self, helper: int, state: State) -> None:
        legal = self.program.context.helpers
        if helper not in legal:
            known = ", ".join(f"{PROTOTYPES[h].name} ({h.value})" for h in sorted(legal))
            raise Problem(f"helper {helper} is not supported; supported are {known}", True)
        prototype = PROTOTYPES[Helper(helper)]
        for n, arg in enumerate(prototype.args, 1):
            self.argument(prototype.name, n, arg, state)
        if helper == Helper.SKB_LOAD_BYTES:
            self.load_bytes(state)
        if helper == Helper.XDP_GET_BUFF_LEN:
            self.accesses[self.place] = BoundsCheck(None)
        result = {
            Helper.GET_SMP_PROCESSOR_ID: scalars.constant(0),
            Helper.GET_PRANDOM_U32: scalars.unknown(32),
            Helper.XDP_GET_BUFF_LEN: scalars.unknown(16),
        }
        state.regs[0] = result.get(Helper(helper), scalars.unknown())
        state.regs[1:6] = [DESTROYED] * 5

    def argument(self, name: str, n: int, arg: Arg, state: State) -> None:
        value = self.read(n, state)
        if isinstance(value, Pointer):
            self.refuse_null(value, f"argument {n} of {name}()")
        match arg, value:
            case Arg.CONTEXT, Pointer(region=Region.CONTEXT, offset=offset):
                ok = offset.constant == 0
            case Arg.CONST_SIZE, Scalar(constant=int(size)):
                ok = 0 < size <= STACK_SIZE
            case (Arg.SCALAR, Scalar()) | (Arg.OUT_MEMORY, Pointer(region=Region.STACK)):
                ok = True
            case _:
                ok = False
        if not ok:
            raise Problem(f"argument {n} of {name}() must be {arg.value}; r{n} holds {value}")

    def load_bytes(self, state: State) -> None:
        offset, to, size = state.regs[2], state.regs[3], state.regs[4]
        assert isinstance(offset, Scalar)
        assert isinstance(to, Pointer)
        assert isinstance(size, Scalar)
        assert size.constant is not None
        memory = self.stack_access(to, size.constant)
        first, *others = memory.offsets
        if others:
            raise Problem(f"bpf_skb_load_bytes() fills {to}; the place must be a constant", True)
        packet = self.packet_access(scalars.truncate(offset, 32), size.constant)
        self.accesses[self.place] = LoadBytes(packet, memory)
        for i in range(size.constant):
            state.stack[memory.frame, first + i] = Lane(scalars.unknown(8), 0, 1)
