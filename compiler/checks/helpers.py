"""Calls of helpers and kernel functions -> whether the arguments suit, and what comes back."""

from collections.abc import Iterable

from ...ctx_map.helper_names import helper_name, why_not
from ...ctx_map.helpers import EFAULT, EINVAL, PROTOTYPES, Arg, Helper, Prototype
from ...ctx_map.kfuncs import METADATA
from ..analysis import scalars
from ..analysis.scalars import U64, Scalar
from ..analysis.state import (
    DESTROYED,
    Lane,
    Pointer,
    Region,
    State,
)
from ..facts import BoundsCheck, CallMemory, LoadBytes, MemoryAccess, MetadataCall, PacketAccess
from ..facts import Memory as Read
from ..insn import JumpOp
from .memory import Memory
from .registers import Problem, count_bytes

_FAR = 0xFFFF
"""The greatest offset that bpf_xdp_load_bytes looks at (kernel: bpf_xdp_pointer)."""
_TRAP = "__bpf_trap"
"""What clang 21 and later calls where behaviour is undefined."""


class Helpers(Memory):
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

    # Arguments.

    def arguments(self, prototype: Prototype, state: State) -> None:
        for n, arg in enumerate(prototype.args, 1):
            value = self.read(n, state)
            if isinstance(value, Pointer) and arg is not Arg.IN_MEMORY_OR_NULL:
                self.refuse_null(value, f"argument {n} of {prototype.name}()")
            if not _suits(arg, value, prototype.packet_memory):
                raise Problem(
                    f"argument {n} of {prototype.name}() must be {arg.value}; r{n} holds {value}"
                )

    def inputs(self, prototype: Prototype, state: State) -> dict[int, Read]:
        """What is read through each argument that is followed by its size."""
        found = {}
        for n, arg in enumerate(prototype.args, 1):
            if arg.sized:
                pointer, size = state.regs[n], state.regs[n + 1]
                assert isinstance(size, Scalar)
                assert size.constant is not None
                if isinstance(pointer, Pointer) and size.constant:
                    self.refuse_null(pointer, f"argument {n} of {prototype.name}()")
                elif size.constant:
                    raise Problem(
                        f"argument {n} of {prototype.name}() is NULL, but has"
                        f" {count_bytes(size.constant)}"
                    )
                found[n] = self.input(prototype, pointer, size.constant, state)
        return found

    def input(
        self, prototype: Prototype, pointer: object, size: int, state: State
    ) -> Read:
        if not size:
            return Read(None, 0)
        assert isinstance(pointer, Pointer)
        match pointer.region:
            case Region.STACK:
                access = self.stack_access(pointer, size)
                self.initialized(prototype, access, size, state)
                return Read(access, size)
            case Region.DATA:
                return Read(self.data_access(pointer, size), size)
        self.load_direct(pointer, size, state)
        found = self.accesses[self.place]
        assert isinstance(found, PacketAccess)
        return Read(found, size)

    def initialized(
        self, prototype: Prototype, access: MemoryAccess, size: int, state: State
    ) -> None:
        for at in sorted({o + i for o in access.offsets for i in range(size)}):
            lane = state.stack.get((access.frame, at))
            if lane is None:
                raise Problem(
                    f"{prototype.name}() reads stack byte {at}, which was not written on every path"
                )
            if isinstance(lane.value, Pointer) and prototype.values is None:
                raise Problem(f"{prototype.name}() reads the address spilled at stack byte {at}")

    # Memory that is filled.

    def constant_place(self, name: str, n: int, size: int, state: State) -> MemoryAccess:
        pointer = state.regs[n]
        assert isinstance(pointer, Pointer)
        memory = self.stack_access(pointer, size)
        if len(memory.offsets) > 1:
            raise Problem(f"{name}() fills {pointer}; the place must be a constant", True)
        return memory

    def filled(
        self, to: MemoryAccess, size: int, results: Iterable[int], state: State
    ) -> None:
        """Stack bytes that are written only if the result is 0, in which case all are.

        What was never written before counts as 0.
        """
        outcomes = set(results)
        if outcomes != {0} and self.blurred(to, size, state):
            raise Problem(
                f"the call may leave part of an address at stack byte {to.offsets[0]}; write it first"
            )
        value = scalars.unknown(min(size, 8) * 8)
        for i in range(size):
            key = to.frame, to.offsets[0] + i
            old = state.stack.get(key)
            if outcomes == {0} or (0 in outcomes and not _is_address(old)):
                new = Lane(value, i, size) if size <= 8 else Lane(scalars.unknown(8), 0, 1)
                state.stack[key] = new
            elif 0 in outcomes:
                raise Problem(
                    f"the call may overwrite the address spilled at stack byte {key[1]}"
                )
            elif old is None:
                state.stack[key] = Lane(scalars.unknown(8), 0, 1)

    def blurred(self, to: MemoryAccess, size: int, state: State) -> bool:
        """Whether one of these bytes has no known content, and may be part of an address."""
        keys = {(to.frame, to.offsets[0] + i) for i in range(size)}
        return bool((keys & state.blurred) - state.stack.keys())

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


def _is_address(lane: Lane | None) -> bool:
    return lane is not None and isinstance(lane.value, Pointer)


def _suits(arg: Arg, value: Scalar | Pointer, packet: bool) -> bool:
    match arg, value:
        case Arg.CONTEXT, Pointer(region=Region.CONTEXT, offset=offset):
            return offset.constant == 0
        case Arg.CONST_SIZE, Scalar(constant=int(size)):
            return 0 < size < 1 << 31
        case Arg.CONST_SIZE_OR_ZERO, Scalar(constant=int(size)):
            return size < 1 << 31
        case Arg.SCALAR, Scalar():
            return True
        case (
            (Arg.OUT_MEMORY | Arg.OUT_U16 | Arg.OUT_U32 | Arg.OUT_U64), Pointer(region=Region.STACK)
        ):
            return True
        case (Arg.IN_MEMORY | Arg.IN_MEMORY_OR_NULL), Pointer(region=region, low=False):
            return region in (Region.STACK, Region.DATA) or (packet and region is Region.PACKET)
        case Arg.IN_MEMORY_OR_NULL, Scalar(constant=0):
            return True
    return False


def _result(values: Iterable[int] | None, bits: int) -> Scalar:
    """What r0 can hold."""
    if values is None:
        return scalars.unknown(bits)
    return scalars.one_of([v & U64 for v in values])
