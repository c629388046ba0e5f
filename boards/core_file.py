"""A board's design -> a core description file of FuseSoC (CAPI2), for other flows."""

import json
import re
from collections.abc import Sequence

from .pins import Device


def core_file(
    program: str, board: str, verilog: Sequence[str], lpf: str, xdc: str, top: str, device: Device
) -> str:
    """Its text; JSON is YAML, and needs no quoting of our own.

    The targets `default` and `diamond` make a bitstream, with open tools or those of the device's
    vendor. `xdc` has the constraints in the other form, for whatever tool is asked for.
    """
    name = re.sub(r"\W", "_", program, flags=re.ASCII) or "program"
    core = {
        "name": f"rxgate:boards:{name}_{board}:0",
        "description": f"The packet filter {name} on {board}",
        "filesets": {
            "rtl": {"files": list(verilog), "file_type": "verilogSource"},
            "lpf": {"files": [lpf], "file_type": "LPF"},
            "xdc": {"files": [xdc], "file_type": "xdc"},
        },
        "targets": {
            "default": {
                "filesets": ["rtl", "lpf"],
                "default_tool": "trellis",
                "toplevel": top,
                "tools": {"trellis": {"nextpnr_options": list(device.router)}},
            },
            "diamond": {
                "filesets": ["rtl", "lpf"],
                "default_tool": "diamond",
                "toplevel": top,
                "tools": {"diamond": {"part": f"{device.name}C"}},
            },
            "xdc": {"filesets": ["rtl", "xdc"], "toplevel": top},
        },
    }
    return "CAPI=2:\n" + json.dumps(core, indent=2) + "\n"
