"""Names of helpers are those that the prototypes have, and why_not() knows all others."""

from rxgate.ctx_map.helper_names import helper_name, why_not
from rxgate.ctx_map.helpers import PROTOTYPES


def test_numbers_and_names():
    assert {h: helper_name(h) for h in PROTOTYPES} == {h: p.name for h, p in PROTOTYPES.items()}
    assert [helper_name(n) for n in (0, 1, 44, 181, 211, 212, -1)] == [
        None, "bpf_map_lookup_elem", "bpf_xdp_adjust_head", "bpf_loop", "bpf_cgrp_storage_delete",
        None, None,
    ]


def test_reasons():
    assert "maps" in why_not(51)
    assert "changes the packet" in why_not(65)
    assert "host's kernel" in why_not(25)
