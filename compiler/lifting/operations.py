"""Arithmetic and comparisons on nodes and addresses -> nodes."""


from ...ctx_map.descriptor import BY_NAME, Source
from ..analysis.state import Region
from ..builder import Builder
from ..facts import Access, BoundsCheck
from ..front_end import FrontEnd, Window
from ..insn import (
    Alu,
    AluOp,
    Imm,
    Jump,
    JumpOp,
    Operand,
    Program,
)
from .symbols import Address, State, Symbol, Target


class Operations:
    """Builds nodes; also what all instructions share: operands, descriptor fields, packet bytes.

    `checks` collects conditions of the current instruction without which the program is aborted.
    """

    def __init__(
        self, program: Program, target: Target, window: int, builder: Builder
    ) -> None:
        self.program, self.target = program, target
        self.b = builder
        self.checks: list[int] = []
        self.window = Window(self.b, window)
        self.front_end = FrontEnd(self.window, target.hash_key, target.strip_vlan)

    def number(self, n: int, state: State) -> int:
        value = state.regs[n]
        assert isinstance(value, int)
        return value

    def operand(self, src: Operand, state: State) -> Symbol:
        if isinstance(src, Imm):
            return self.b.const(src.value, 64)
        value = state.regs[src.n]
        assert value is not None
        return value

    def alu(self, insn: Alu, state: State) -> Symbol:
        b, right = self.b, self.operand(insn.src, state)
        left = state.regs[insn.dst]
        if insn.op is AluOp.MOV:
            if isinstance(right, Address):
                return right
            return b.zext(b.trunc(right, insn.bits), 64)
        assert left is not None
        if isinstance(left, Address) and isinstance(right, Address):
            apart = b.sub(*(b.zext(self.distance(p, None), 64) for p in (left, right)))
            return b.zext(b.trunc(apart, insn.bits), 64)
        if isinstance(left, Address) or isinstance(right, Address):
            pointer, other = (left, right) if isinstance(left, Address) else (right, left)
            assert isinstance(pointer, Address)
            assert isinstance(other, int)
            move = b.add if insn.op is AluOp.ADD else b.sub
            offset = move(pointer.offset, other)
            return Address(pointer.region, offset, pointer.frame, pointer.section)
        x, y = b.trunc(left, insn.bits), b.trunc(right, insn.bits)
        return b.zext(self.arithmetic(insn.op, x, y, insn.bits), 64)

    def arithmetic(self, op: AluOp, x: int, y: int, bits: int) -> int:
        b = self.b
        match op:
            case AluOp.ADD:
                return b.add(x, y)
            case AluOp.SUB:
                return b.sub(x, y)
            case AluOp.MUL:
                return b.mul(x, y)
            case AluOp.DIV:
                return b.udiv(x, y)
            case AluOp.MOD:
                return b.urem(x, y)
            case AluOp.SDIV | AluOp.SMOD:
                return self.signed_divide(op, x, y, bits)
            case AluOp.OR | AluOp.AND | AluOp.XOR:
                return b.bitwise(op.name.lower(), x, y)
        amount = b.trunc(y, bits.bit_length() - 1)
        return b.shift({AluOp.LSH: "shl", AluOp.RSH: "lshr", AluOp.ARSH: "ashr"}[op], x, amount)

    def signed_divide(self, op: AluOp, x: int, y: int, bits: int) -> int:
        """Quotient and remainder rounded toward zero, from magnitudes; x/0 = 0 and x%0 = x hold."""
        b = self.b
        zero = b.const(0, bits)
        x_sign, y_sign = b.slice(x, bits - 1, 1), b.slice(y, bits - 1, 1)
        x_size, y_size = b.mux(x_sign, b.sub(zero, x), x), b.mux(y_sign, b.sub(zero, y), y)
        if op is AluOp.SDIV:
            size, negative = b.udiv(x_size, y_size), b.xor(x_sign, y_sign)
        else:
            size, negative = b.urem(x_size, y_size), x_sign
        return b.mux(negative, b.sub(zero, size), size)

    def distance(self, address: Address, deepest: int | None) -> int:
        """Bytes from the packet's start, 16 bits; of its end at most the window when `deepest`."""
        b = self.b
        if address.region is Region.PACKET:
            return b.trunc(address.offset, 16)
        return self.descriptor("len") if deepest is None else b.zext(self.window.present, 16)

    def compare(self, insn: Jump, access: Access | None, state: State) -> int:
        b = self.b
        left, right = state.regs[insn.dst], self.operand(insn.src, state)
        if isinstance(left, Address) and isinstance(right, Address):
            deepest = access.deepest if isinstance(access, BoundsCheck) else None
            x, y = self.distance(left, deepest), self.distance(right, deepest)
        elif isinstance(left, Address) or isinstance(right, Address):
            address = left if isinstance(left, Address) else right
            assert isinstance(address, Address)
            null = b.const(0, 1) if address.null is None else address.null
            return null if insn.op is JumpOp.EQ else b.not_(null)
        else:
            assert left is not None
            x, y = b.trunc(left, insn.bits), b.trunc(right, insn.bits)
        return self.condition(insn.op, x, y)

    def condition(self, op: JumpOp, x: int, y: int) -> int:
        """Whether x op y."""
        b = self.b
        match op:
            case JumpOp.EQ:
                return b.eq(x, y)
            case JumpOp.NE:
                return b.ne(x, y)
            case JumpOp.GT:
                return b.ult(y, x)
            case JumpOp.GE:
                return b.not_(b.ult(x, y))
            case JumpOp.LT:
                return b.ult(x, y)
            case JumpOp.LE:
                return b.not_(b.ult(y, x))
            case JumpOp.SET:
                return b.ne(b.and_(x, y), b.const(0, b.width(x)))
            case JumpOp.SGT:
                return b.slt(y, x)
            case JumpOp.SGE:
                return b.not_(b.slt(x, y))
            case JumpOp.SLT:
                return b.slt(x, y)
            case JumpOp.SLE:
                return b.not_(b.slt(y, x))

    def descriptor(self, name: str) -> int:
        """A descriptor field: an input, or computed by the front end."""
        signal = BY_NAME[name]
        if name not in self.target.delivered and signal.source is Source.WINDOW:
            return self.front_end.field(name)
        return self.b.input(name, signal.width)

    def w_bytes(self, at: int, size: int, network_order: bool) -> int:
        word = self.window.word(at, size)
        return word if network_order else self.b.swap_bytes(word)
