"""Metadata functions give what the kernel documents, by what the NIC offers."""

import pytest
from rxgate.ctx_map.descriptor import BY_NAME, Descriptor
from rxgate.ctx_map.kfuncs import METADATA, TIME
from rxgate.ctx_map.models import describe
from rxgate.ctx_map.nics import FRONT_END, NICS, UNSTRIPPED, Answer, Nic

ARP = bytes(12) + b"\x08\x06" + bytes(46)
UDP = bytes.fromhex(
    "000000000000" "000000000000" "0800" "4500001c00000000401100000a0000010a000002" "0035003500080000"
)
TAGGED = ARP[:12] + b"\x88\xa8\xe1\x23" + ARP[12:]
PLAIN = NICS["plain"]


def call(name: str, nic: Nic, frame: bytes) -> tuple[int, tuple[bytes, ...]]:
    descriptor = describe(frame).descriptor
    return METADATA[f"bpf_xdp_metadata_rx_{name}"].call(nic, descriptor, 0x1122_3344_5566_7788)


def test_a_hash_is_there_for_packets_that_have_one():
    descriptor = describe(UDP).descriptor
    result, written = call("hash", FRONT_END, UDP)
    assert result == 0
    assert written == (descriptor.hash.to_bytes(4, "little"), b"\x29\0\0\0")
    assert call("hash", FRONT_END, ARP) == (-61, ())
    assert call("hash", PLAIN, UDP) == (-95, ())


def test_a_tag_is_metadata_when_it_was_taken_out():
    """Protocol in network order, tci in host order."""
    assert call("vlan_tag", FRONT_END, TAGGED) == (0, (b"\x88\xa8", b"\x23\xe1"))
    assert call("vlan_tag", FRONT_END, ARP) == (-61, ())
    assert call("vlan_tag", UNSTRIPPED, TAGGED) == (-61, ())
    assert call("vlan_tag", PLAIN, TAGGED) == (-95, ())


def test_every_packet_has_a_time():
    assert call("timestamp", FRONT_END, ARP) == (0, (bytes.fromhex("8877665544332211"),))
    assert call("timestamp", PLAIN, ARP) == (-95, ())


def test_binding():
    assert FRONT_END.bound(tags_taken_out=True) is FRONT_END
    assert FRONT_END.bound(tags_taken_out=False) == UNSTRIPPED
    assert UNSTRIPPED.rx_vlan_tag is Answer.NO_DATA
    assert PLAIN.bound(tags_taken_out=False) is PLAIN
    assert list(NICS) == ["rxgate", "plain"]


@pytest.mark.parametrize("nic", [FRONT_END, UNSTRIPPED, PLAIN])
@pytest.mark.parametrize("function", METADATA.values(), ids=METADATA)
def test_every_result_is_declared(function, nic):
    seen = set()
    for frame in (UDP, ARP, TAGGED):
        result, written = function.call(nic, describe(frame).descriptor, 5)
        seen.add(result)
        sizes = [o.size for o in function.outputs] if result == 0 else []
        assert [len(w) for w in written] == sizes
    assert seen == set(function.results(nic))


@pytest.mark.parametrize("function", METADATA.values(), ids=METADATA)
def test_outputs_match_the_arguments(function):
    sizes = [arg.fixed_size for arg in function.prototype.args[1:]]
    assert [o.size for o in function.outputs] == sizes
    for output in function.outputs:
        assert output.signal == TIME or BY_NAME[output.signal].width <= output.size * 8
        assert output.signal == TIME or hasattr(Descriptor(), output.signal)
