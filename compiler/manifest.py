"""Design -> manifest.json: what the circuit is, what it promises, and what that means on a wire."""

import json
from typing import Any

from ..ctx_map.descriptor import BY_NAME
from ..ctx_map.register_views import c_header, to_json
from ..ctx_map.verdicts import Verdict
from ..hdl.counters import COUNTERS
from .driver import TOP, Design
from .ir import BYTEWISE, WIRING
from .options import Route

FRAME_SIZES = (64, 65, 127, 128, 256, 512, 1024, 1518, 9000)
"""Bytes on the stream, counted as if the MAC leaves the FCS on: the worst case for the gate."""
WIRE_OVERHEAD = 20
"""Bytes of preamble, start delimiter and inter-frame gap (IEEE 802.3 clauses 3 and 4)."""
SPEEDS = {8: 1, 16: 1, 32: 2.5, 64: 10, 128: 25, 256: 50, 512: 100}
"""Gb/s of the Ethernet that each stream width is used with."""


def store_and_forward_reason(design: Design) -> str:
    """Why frames wait for their last beat, or why they need not."""
    if not design.config.store_and_forward:
        return "cut-through: all that the program reads is known once the header window is filled"
    late = [f for f in ("len", "csum") if f in design.inputs]
    return f"store-and-forward: {' and '.join(late)} known only after the last beat of a frame"


def rates(design: Design) -> list[dict[str, Any]]:
    """Per frame size: packets per second of the wire, and of this width and clock."""
    width, hz = design.options.width, design.options.clock_mhz * 1e6
    rows = []
    for size in FRAME_SIZES:
        beats = -(-size // (width // 8))
        wire = SPEEDS[width] * 1e9 / 8 / (size + WIRE_OVERHEAD)
        rows.append(
            {
                "frame_bytes": size,
                "wire_gbps": SPEEDS[width],
                "wire_mpps": round(wire / 1e6, 3),
                "gate_mpps": round(hz / beats / 1e6, 3),
                "carries_the_wire": hz / beats >= wire,
            }
        )
    return rows


def _stages(design: Design) -> list[dict[str, Any]]:
    placed, program = design.schedule, design.program
    stages = []
    for k in range(placed.latency):
        operations = []
        for n in placed.operations(k):
            node = placed.function.nodes[n]
            line = program.line(node.origin) if node.origin >= 0 else None
            operations.append(
                {
                    "op": node.op,
                    "width": node.width,
                    "instruction": node.origin if node.origin >= 0 else None,
                    "line": f"{line.file}:{line.line}" if line else None,
                }
            )
        live = [_live(design, n, mask) for n, mask in placed.cuts[k].items()]
        stages.append(
            {
                "stage": k,
                "ns": round(design.stage_ns[k], 3),
                "operations": operations,
                "live_bits": placed.live_bits(k),
                "live": live,
            }
        )
    return stages


def _live(design: Design, n: int, mask: int) -> dict[str, Any]:
    """A value in a cut: what it is, which of its bits are there, and where it comes from."""
    node = design.schedule.function.nodes[n]
    line = design.program.line(node.origin) if node.origin >= 0 else None
    name, index = node.source if node.op == "input" else ("", 0)
    return {
        "node": n,
        "value": f"{name}[{index}]" if name in BYTEWISE else name or node.op,
        "width": node.width,
        "bits": mask.bit_count(),
        "mask": f"{mask:#x}",
        "line": f"{line.file}:{line.line}" if line else None,
    }


def _loops(design: Design) -> list[dict[str, Any]]:
    found = []
    for slot, iterations in design.facts.graph.loops().items():
        line = design.program.line(slot)
        at = f"{line.file}:{line.line}" if line else None
        found.append({"instruction": slot, "line": at, "iterations": iterations})
    return found


def _ports(design: Design) -> list[dict[str, Any]]:
    members = design.gate.signature.members
    ports = [{"name": "clk", "direction": "in", "width": 1}]
    ports.append({"name": "rst", "direction": "in", "width": 1})
    for name, member in members.items():
        direction = "in" if member.flow.name == "In" else "out"
        ports.append({"name": name, "direction": direction, "width": member.shape})
    return ports


def _bits(layout: dict[str, tuple[int, int]]) -> list[dict[str, Any]]:
    return [{"field": n, "offset": o, "width": w} for n, (o, w) in layout.items()]


def registers(design: Design) -> dict[str, Any]:
    """The control port's registers, with the values of those that never change."""
    return to_json(design.gate.identification, design.config.tunables)


def output_files(design: Design) -> dict[str, str]:
    """Name -> content of all that a design is written as."""
    files = {
        f"{TOP}.v": design.verilog,
        "manifest.json": json.dumps(manifest(design), indent=2) + "\n",
    }
    if design.config.control_port:
        files |= {
            f"{TOP}_regs.h": c_header(design.config.tunables),
            "registers.json": json.dumps(registers(design), indent=2) + "\n",
        }
    return files


def manifest(design: Design) -> dict[str, Any]:
    """A JSON-ready description; all lengths in bytes unless their name says bits or cycles."""
    config, placed = design.config, design.schedule
    operations = [n for n in placed.function.nodes if n.op not in WIRING]
    shell = design.options.route is Route.SHELL
    control = {"control_port": registers(design)} if config.control_port else {}
    return {
        "module": TOP,
        "program": {
            "name": design.program.name,
            "section": design.program.section,
            "context": design.program.context.name,
            "instructions": sum(i is not None for i in design.program.insns),
            "instructions_unfolded": design.facts.graph.size,
            "loops": _loops(design),
            "run_time_checks": design.facts.guarded(),
            "dropped_prints": design.facts.prints(),
            "metadata": {n: a.name.lower() for n, a in design.facts.metadata().items()},
        },
        "width_bits": config.width,
        "ports": _ports(design),
        "s_axis_tuser": _bits(config.s_tuser),
        "m_axis_tuser": _bits(config.m_tuser),
        "verdicts": {v.name: int(v) for v in Verdict},
        "counters": [f"stat_{c}" for c in COUNTERS],
        "header_window": config.window,
        "max_frame": config.max_frame,
        "on_drop": config.on_drop.value,
        "ingress": "backpressure" if config.backpressure else "no-backpressure",
        "strip_vlan": config.strip_vlan,
        "nic": design.program.nic.name,
        "store_and_forward": config.store_and_forward,
        "store_and_forward_reason": store_and_forward_reason(design),
        "descriptor_route": design.options.route.value,
        "descriptor_fields": [
            {
                "name": name,
                "width_bits": BY_NAME[name].width,
                "from": "s_axis_tuser" if name in config.stream_fields else (
                    "strip unit" if config.strip_vlan and name.startswith("vlan")
                    else BY_NAME[name].source.value
                ),
            }
            for name in design.fields
        ],
        "latency_cycles": design.gate.latency,
        "latency_from": (
            "the last beat of a frame to its first beat out" if config.store_and_forward
            else "the beat that completes the header window (or ends the frame) to the first beat out"
        ),
        "pipeline_cycles": placed.latency,
        "initiation_interval": 1,
        "buffer_beats": design.gate.depth,
        "operations": len(operations),
        "stages": _stages(design),
        "live_bits": [placed.live_bits(k) for k in range(placed.latency)],
        "target": design.options.target,
        "objective": design.options.objective.value,
        "clock_mhz": design.options.clock_mhz,
        "clock_expected_mhz": round(1000 / max(design.stage_ns), 2),
        "rates": rates(design),
        "prandom_seed": design.options.prandom_seed,
        "hash_key": None if shell else design.options.hash_key.hex(),
    } | control
