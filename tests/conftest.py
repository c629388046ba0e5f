"""What tests of several folders share."""

import ctypes

import pytest
from rxgate.ctx_map.models import MICROSOFT_KEY
from rxgate.hdl.config import GateConfig
from rxgate.sim.golden import Frame
from rxgate.sim.native import build_native
from rxgate.sim.probes import COUNTERS

_SLACK = 8


class _Packet(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        *((n, ctypes.c_uint32) for n in ("size", "ingress_ifindex", "rx_queue_index")),
        *((n, ctypes.c_uint16) for n in ("vlan_tci", "vlan_proto")),
        *((n, ctypes.c_uint8) for n in ("tags", "bad")),
    )


class _Judged(ctypes.Structure):
    _fields_ = (
        ("r0", ctypes.c_uint64),
        *((n, ctypes.c_uint8) for n in ("verdict", "counter", "leaves")),
    )


_U8, _U32, _POINTER = ctypes.c_uint8, ctypes.c_uint32, ctypes.c_void_p


class _Table(ctypes.Structure):
    _fields_ = (
        ("tuser_bytes", _U32),
        ("receive", ctypes.CFUNCTYPE(None, _POINTER, _U32, _U8, _U32, _U32, _POINTER)),
        ("tuser", ctypes.CFUNCTYPE(None, _POINTER, _POINTER)),
        ("tune", ctypes.CFUNCTYPE(None, ctypes.c_char_p)),
        ("judge", ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_uint64, _U32, _POINTER)),
    )


class NativeModel:
    """The golden model of sim/native.py, asked about one frame after the other."""

    def __init__(self, program, config=None, *, prandom_seed=0, hash_key=MICROSOFT_KEY):
        config = config or GateConfig(64)
        path = build_native(program, config, prandom_seed=prandom_seed, hash_key=hash_key)
        self._library = ctypes.CDLL(str(path))
        self._table = _Table.in_dll(self._library, "rxgate_native")
        self.tune = self._table.tune

    def send(self, frame: Frame):
        """(what `judge` takes, tuser, the frame as the program sees it, whether it is bad)."""
        packet, memory = _Packet(), ctypes.create_string_buffer(frame.data, len(frame.data) or 1)
        self._table.receive(
            ctypes.addressof(memory), len(frame.data), frame.err, frame.ingress_ifindex,
            frame.rx_queue_index, ctypes.addressof(packet),
        )
        size = self._table.tuser_bytes
        tuser = ctypes.create_string_buffer(size + _SLACK)
        self._table.tuser(ctypes.addressof(packet), ctypes.addressof(tuser))
        seen = ctypes.string_at(packet.data, packet.size)
        number = int.from_bytes(tuser.raw[:size], "little")
        return (packet, memory), number, seen, bool(packet.bad)

    def judge(self, sent, ktime=0, number=0):
        """(r0, counter, whether it leaves), None when the program does what none may."""
        judged = _Judged()
        pointer = ctypes.addressof(sent[0])
        if not self._table.judge(pointer, ktime, number, ctypes.addressof(judged)):
            return None
        return judged.r0, COUNTERS[judged.counter], bool(judged.leaves)


@pytest.fixture
def native_model():
    """The class NativeModel."""
    return NativeModel
