"""Arguments of calls -> whether they suit the prototype, what is read and what is filled."""

from collections.abc import Iterable

from ...ctx_map.helpers import Arg, Prototype
from ..analysis import scalars
from ..analysis.scalars import Scalar
from ..analysis.state import Lane, Pointer, Region, State
from ..facts import Memory as Read
from ..facts import MemoryAccess, PacketAccess
from .memory import Memory
from .registers import Problem, count_bytes


class Arguments(Memory):
    """The rules of what a prototype asks for."""

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
