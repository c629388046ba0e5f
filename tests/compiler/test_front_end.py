"""The front end's dataflow gives what the models of ctx_map give."""

import random

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.front_end import REACH, FrontEnd, Window
from rxgate.compiler.ir import Function
from rxgate.compiler.ir_check import check
from rxgate.compiler.ir_eval import evaluate
from rxgate.compiler.passes import run_passes
from rxgate.ctx_map.models import MICROSOFT_KEY, describe
from rxgate.sim.packets import generate

KEY = bytes(range(200, 240))
FIELDS = tuple(REACH)


def edge_frames() -> list[bytes]:
    """Every length around every boundary of frames with 0 to 3 tags, IP versions and transports."""
    rng = random.Random("front end")
    frames = []
    for tags in (b"", b"\x81\0\0\x05", b"\x88\xa8\x20\x05\x81\0\0\x06", b"\x81\0\0\x05" * 3):
        for ihl, proto, fragment in (
            (5, 6, 0), (5, 17, 0x4000), (5, 132, 0), (5, 17, 0x2000),
            (15, 6, 0), (4, 6, 0), (6, 1, 0), (9, 17, 1),
        ):
            ip = bytes([0x40 | ihl, 0, 0, 0, 0, 0]) + fragment.to_bytes(2, "big")
            ip += bytes([64, proto]) + rng.randbytes(10) + rng.randbytes(ihl * 4 - 20 if ihl > 5 else 0)
            frames.append(rng.randbytes(12) + tags + b"\x08\x00" + ip + rng.randbytes(8))
        for proto in (6, 17, 132, 58, 0):
            ip = b"\x60\0\0\0\0\0" + bytes([proto, 64]) + rng.randbytes(32)
            frames.append(rng.randbytes(12) + tags + b"\x86\xdd" + ip + rng.randbytes(8))
        frames.append(rng.randbytes(12) + tags + b"\x08\x00\x65" + rng.randbytes(60))
        frames.append(rng.randbytes(12) + tags + b"\x86\xdd\x45" + rng.randbytes(60))
        frames.append(rng.randbytes(12) + tags + b"\x00\x40\xff\xff" + rng.randbytes(20))
        frames.append(rng.randbytes(12) + tags + b"\x05\xff\xff\xfe" + rng.randbytes(20))
        frames.append(rng.randbytes(12) + tags + b"\x06\x00" + rng.randbytes(20))
    return frames


def cut(frames: list[bytes], rng: random.Random) -> list[bytes]:
    """Each frame whole and at a few shorter lengths."""
    return [f[:n] for f in frames for n in (len(f), *(rng.randrange(len(f) + 1) for _ in range(2)))]


def functions(strip: bool, key: bytes) -> list[Function]:
    """The lifted and the optimised dataflow of every field."""
    b = Builder()
    front_end = FrontEnd(Window(b, max(REACH.values())), key, strip)
    lifted = b.function({name: front_end.field(name) for name in FIELDS})
    return [lifted, run_passes(lifted)]


@pytest.mark.parametrize(
    ("strip", "key"),
    [(False, MICROSOFT_KEY), (True, MICROSOFT_KEY), (False, KEY)],
    ids=["plain", "strip", "key"],
)
def test_fields(strip, key):
    rng = random.Random("cut")
    made = functions(strip, key)
    for function in made:
        check(function, "the front end")
    frames = [*cut(edge_frames(), rng), *generate(50, 7), b"", *(bytes(n) for n in (12, 14, 16, 90))]
    window, seen = max(REACH.values()), set()
    for number, frame in enumerate(frames):
        received = describe(frame, key=key, strip_vlan=strip)
        given = {("window", n): byte for n, byte in enumerate(received.frame[:window])}
        given["present", 0] = min(len(received.frame), window)
        given["stripped", 0] = int(len(received.frame) < len(frame))
        # With stripping, the tag itself comes from the stream.
        names = [f for f in FIELDS if not (strip and f.startswith("vlan"))]
        wanted = {name: getattr(received.descriptor, name) for name in names}
        for function in made if number % 5 == 0 else made[-1:]:
            values = evaluate(function, given)
            assert {n: values[function.outputs[n]] for n in names} == wanted, frame.hex()
        seen.add(received.descriptor.hash_type)
    assert seen == {0, 1, 2, 25, 26, 41, 42, 73, 74}


def test_no_field_reaches_beyond_what_it_says():
    for name, reach in REACH.items():
        b = Builder()
        node = FrontEnd(Window(b, reach), MICROSOFT_KEY, False).field(name)
        function = run_passes(b.function({name: node}))
        deepest = max(index for kind, index in function.inputs() if kind == "window")
        assert deepest < reach
        assert deepest == reach - 1 or name != "hash"
