"""The campaign of random programs: that it agrees, and that it would tell if it did not."""

import json
from dataclasses import replace

import pytest
from rxgate.compiler.errors import InputError, VerifyError
from rxgate.compiler.insn import Alu, AluOp, Exit, Imm, Jump, JumpOp, LoadPacket, Program, Reg
from rxgate.compiler.options import Options
from rxgate.ctx_map.context import XDP_METADATA
from rxgate.sim import bpf_syscall, fuzz, fuzz_case, kernel, pipelines, semantics
from rxgate.sim.fuzz import Campaign, Plan, draw, find_disagreement, run, take_up
from rxgate.sim.fuzz_case import Case, Disagreement, Executor, from_json, read_case, to_json
from rxgate.sim.fuzz_shrink import shrink

PACKETS = 20
WITH_KERNEL = kernel.available() is None


@pytest.fixture
def without_kernel(monkeypatch):
    monkeypatch.setattr(kernel, "available", lambda: "not asked")


def tried(directory, plan: Plan) -> Campaign:
    campaign = take_up(directory, plan)
    for _ in run(campaign, directory):
        pass
    return campaign


def broken_xor(monkeypatch):
    """The interpreter takes XOR for OR."""
    monkeypatch.setitem(semantics.ALU, AluOp.XOR, semantics.ALU[AluOp.OR])


def only_case(directory) -> Case:
    [path] = directory.glob("case-*.json")
    return read_case(path)


def length(program: Program) -> int:
    return sum(insn is not None for insn in program.insns)


def test_executors_agree_on_the_first_programs(tmp_path):
    campaign = tried(tmp_path, Plan(0, 24, PACKETS))
    counts = campaign.counts
    assert campaign.failures == []
    assert (counts.programs, counts.disagreements) == (24, 0)
    assert counts.packets > 20 * PACKETS
    if WITH_KERNEL:
        assert counts.refused_by_kernel_alone < 6
        assert counts.packets_in_kernel > 16 * PACKETS * 0.7


def test_a_campaign_is_taken_up(tmp_path, without_kernel, monkeypatch):
    monkeypatch.setattr(fuzz, "_WITHOUT_VERILOG", 4)
    steps = run(take_up(tmp_path, Plan(5, 8, PACKETS)), tmp_path)
    assert [next(steps) for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    steps.close()
    again = take_up(tmp_path, Plan(5, 9, PACKETS))
    assert again.counts.programs == 4
    assert list(run(again, tmp_path)) == [5, 6, 7, 8, 9]
    once = tried(tmp_path / "once", Plan(5, 9, PACKETS)).counts
    assert replace(again.counts, seconds=0) == replace(once, seconds=0)
    with pytest.raises(InputError, match="belongs to a campaign with other options: seed 5"):
        take_up(tmp_path, Plan(6, 9, PACKETS))
    (tmp_path / fuzz.STATE).write_text("{}")
    with pytest.raises(InputError, match="is not the state of a campaign"):
        take_up(tmp_path, Plan(5, 9, PACKETS))


@pytest.mark.rtl
def test_verilog_agrees(tmp_path, without_kernel):
    counts = tried(tmp_path, Plan(0, 16, PACKETS, verilog_every=2)).counts
    assert counts.disagreements == 0
    assert 4 <= counts.programs_in_verilog <= 12
    assert counts.packets_in_verilog == counts.programs_in_verilog * PACKETS


def test_a_wrong_operation_is_found(tmp_path, without_kernel, monkeypatch):
    broken_xor(monkeypatch)
    monkeypatch.setattr(fuzz, "_MOST_SHRUNK", 0)
    campaign = tried(tmp_path, Plan(3, 9, PACKETS))
    assert campaign.counts.disagreements == len(campaign.failures) > 2
    assert all(": dataflow graph: frame " in text for text in campaign.failures)
    assert len([*tmp_path.glob("case-*.json")]) == len(campaign.failures)


def test_a_case_is_made_small(monkeypatch):
    """The XOR, what leads to it, and the one byte of the frame that matters."""
    broken_xor(monkeypatch)
    noise = [i for n in range(12) for i in (
        Alu(AluOp.MOV, 64, 1 + n % 4, Imm(n)), Alu(AluOp.ADD, 32, 1 + n % 4, Imm(7)),
        Jump(JumpOp.EQ, 64, 1 + n % 4, Imm(n), 2 + 4 * n + 4), Alu(AluOp.MUL, 64, 1 + n % 4, Imm(3)),
    )]
    insns = [
        Alu(AluOp.MOV, 64, 6, Reg(1)), Alu(AluOp.MOV, 64, 7, Imm(5)), *noise,
        LoadPacket(1, None, 12), Alu(AluOp.MOV, 64, 7, Reg(0)), Alu(AluOp.XOR, 64, 0, Reg(7)), Exit(),
    ]
    program = Program("p", "phys_dev", XDP_METADATA, tuple(insns))
    case = Case(program, Options(), (bytes(60), bytes([9] * 60)))
    first = find_disagreement(case, Executor.GRAPH)
    assert first is not None
    assert first.frame == 1

    def fails(candidate: Case) -> bool:
        found = find_disagreement(candidate, Executor.GRAPH)
        return found is not None and found.executor is Executor.GRAPH

    small = shrink(case, fails, first.frame)
    assert small.frames == (bytes([*[0] * 12, 9]),)
    assert small.program.insns == (
        Alu(AluOp.MOV, 64, 6, Reg(1)), LoadPacket(1, None, 12), Alu(AluOp.MOV, 64, 7, Reg(0)),
        Alu(AluOp.XOR, 64, 0, Reg(7)), Exit(),
    )


@pytest.mark.rtl
def test_wrong_verilog_is_found(tmp_path, without_kernel, monkeypatch):
    right = pipelines.to_verilog
    monkeypatch.setattr(pipelines, "to_verilog", lambda *a: right(*a).replace(" ^ ", " | "))
    monkeypatch.setattr(fuzz, "_MOST_SHRUNK", 0)
    campaign = tried(tmp_path, Plan(1, 12, PACKETS, verilog_every=1))
    assert campaign.counts.disagreements
    assert all(": Verilog: frame " in text for text in campaign.failures)
    case = read_case(min(tmp_path.glob("case-*.json")))
    assert len(case.frames) == PACKETS
    monkeypatch.undo()
    assert find_disagreement(case) is None


@pytest.mark.skipif(not WITH_KERNEL, reason=str(kernel.available()))
def test_a_kernel_that_differs_is_found_and_made_small(tmp_path, monkeypatch):
    right = bpf_syscall.test_run

    def wrong(program, frame, repeat):
        returned, after, ns = right(program, frame, repeat)
        return returned ^ (len(frame) >= 33), after, ns

    monkeypatch.setattr(bpf_syscall, "test_run", wrong)
    campaign = tried(tmp_path, Plan(2, 1, PACKETS))
    [text] = campaign.failures
    assert text.startswith("program 2: kernel: frame 0: r0 is ")
    case = only_case(tmp_path)
    assert case.frames == (bytes(33),)
    assert case.program.insns == (Alu(AluOp.MOV, 64, 0, Imm(1)), Exit())


@pytest.mark.skipif(not WITH_KERNEL, reason=str(kernel.available()))
def test_what_one_verifier_alone_refuses_is_counted(tmp_path, monkeypatch):
    def refusing(*_):
        raise VerifyError("slot 3 is odd")

    monkeypatch.setattr(fuzz_case, "compile_program", refusing)
    campaign = tried(tmp_path, Plan(0, 4, 2))
    counts = campaign.counts
    assert (counts.refused, counts.refused_by_rxgate_alone, counts.disagreements) == (4, 3, 0)
    assert campaign.refusals == {"rxgate: slot N is odd": 4}


def test_a_crash_is_a_disagreement(monkeypatch):
    def crash(*_):
        raise ZeroDivisionError("of a kind")

    monkeypatch.setattr(fuzz_case, "evaluate_all", crash)
    found = find_disagreement(draw(0, 3), Executor.GRAPH)
    text = "dataflow graph: ZeroDivisionError: of a kind (test_fuzz.py:"
    assert str(found).startswith(text)


def test_a_crash_is_made_small(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz_case, "check", lambda function, name: 1 // (len(function.nodes) < 9))
    campaign = tried(tmp_path, Plan(0, 1, 3))
    assert campaign.failures[0].startswith("program 0: compiler: ZeroDivisionError: ")
    case = only_case(tmp_path)
    assert case.frames == ()
    assert length(case.program) <= 6


def test_cases_survive_being_written():
    for seed in range(16):
        case = draw(seed, 4)
        again = from_json(json.loads(json.dumps(to_json(case, seed, Disagreement(Executor.GRAPH, "")))))
        assert replace(again.program, name="random", section="random") == case.program
        assert (again.frames, again.options.route) == (case.frames, case.options.route)


def test_what_is_no_case(tmp_path):
    path = tmp_path / "case.json"
    with pytest.raises(InputError, match="cannot be read"):
        read_case(path)
    for content in ("", "[]", "{}", '{"section": 1}'):
        path.write_text(content)
        with pytest.raises(InputError, match="is no case that `rxgate fuzz` wrote"):
            read_case(path)
