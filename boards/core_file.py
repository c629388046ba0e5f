"""A board's design -> a core description file of FuseSoC (CAPI2), for other flows."""

import json
import re
from collections.abc import Sequence


def core_file(
    program: str, board: str, verilog: Sequence[str], constraints: str, top: str,
    router: Sequence[str],
) -> str:
    """Its text; JSON is YAML, and needs no quoting of our own."""
    name = re.sub(r"\W", "_", program, flags=re.ASCII) or "program"
    core = {
        "name": f"rxgate:boards:{name}_{board}:0",
        "description": f"The packet filter {name} on {board}",
        "filesets": {
            "rtl": {"files": list(verilog), "file_type": "verilogSource"},
            "constraints": {"files": [constraints], "file_type": "LPF"},
        },
        "targets": {
            "default": {
                "filesets": ["rtl", "constraints"],
                "default_tool": "trellis",
                "toplevel": top,
                "tools": {"trellis": {"nextpnr_options": list(router)}},
            }
        },
    }
    return "CAPI=2:\n" + json.dumps(core, indent=2) + "\n"
