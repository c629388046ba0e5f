"""A command line that makes no sense is refused in one line that names the option."""

import pytest

FILTER = ("--filter", "udp")
CASES = {
    "neither": (("check",), "give either a program file (PROG) or --filter EXPR"),
    "both": (("check", "x.c", *FILTER), "give either a program file (PROG) or --filter EXPR"),
    "two programs": (("check", "x.c", "y.c"), "Got unexpected extra argument (y.c)"),
    "no such command": (("frob",), "No such command 'frob'"),
    "no such option": (("check", *FILTER, "--frob"), "No such option '--frob'"),
    "empty program": (("check", ""), "Invalid value for '[PROG]': it is empty"),
    "empty section": (
        ("check", "x.c", "--section", ""), "Invalid value for '--section': it is empty"),
    "empty directory": (
        ("compile", *FILTER, "-o", ""), "Invalid value for '-o' / '--output': it is empty"),
    "nothing to write": (
        ("compile", *FILTER), "say where to write with -o DIR, or what to print with --emit"),
    "emit and write": (
        ("compile", *FILTER, "--emit", "ir", "-o", "out"),
        "--emit prints and writes no file: give it or -o DIR"),
    "unknown form": (
        ("compile", *FILTER, "--emit", "x"),
        "Invalid value for '--emit': 'x' is not one of 'insns', 'cfg', 'ir', 'schedule', 'verilog'"),
    "width": (
        ("check", *FILTER, "--width", "7"),
        "Invalid value for '--width': '7' is not one of '8', '16', '32', '64', '128', '256', '512'"),
    "short key": (
        ("check", *FILTER, "--hash-key", "00"),
        "--hash-key must be 80 hexadecimal digits, not '00'"),
    "odd key": (
        ("run", *FILTER, "--hash-key", "xyz"),
        "--hash-key must be 80 hexadecimal digits, not 'xyz'"),
    "no window": (
        ("check", *FILTER, "--max-window", "0"), "--max-window must be 1 to 4096 bytes, not 0"),
    "huge window": (
        ("check", *FILTER, "--max-window", "9" * 20),
        f"--max-window must be 1 to 4096 bytes, not {'9' * 20}"),
    "no number": (
        ("check", *FILTER, "--max-window", "ten"),
        "Invalid value for '--max-window': 'ten' is not a valid integer"),
    "short frame": (
        ("check", *FILTER, "--max-frame", "63"), "--max-frame must be 64 to 65535 bytes, not 63"),
    "long frame": (
        ("check", *FILTER, "--max-frame", "65536"),
        "--max-frame must be 64 to 65535 bytes, not 65536"),
    "nan clock": (
        ("check", *FILTER, "--clock", "nan"), "--clock must be 0.001 to 100000 MHz, not nan"),
    "infinite clock": (
        ("check", *FILTER, "--clock", "inf"), "--clock must be 0.001 to 100000 MHz, not inf"),
    "clock backward": (
        ("check", *FILTER, "--clock", "-1"), "--clock must be 0.001 to 100000 MHz, not -1.0"),
    "negative seed": (
        ("check", *FILTER, "--prandom-seed", "-1"),
        "Invalid value for '--prandom-seed': -1 is not in the range 0<=x<=4294967295"),
    "no packets": (
        ("run", *FILTER, "--packets", "0"),
        "Invalid value for '--packets': 0 is not in the range x>=1"),
    "unknown mix": (
        ("run", *FILTER, "--mix", "beans"),
        "Invalid value for '--mix': 'beans' is not one of 'mixed', 'imix', '64', '65', 'jumbo',"
        " 'runts'"),
    "always stalled": (
        ("sim", *FILTER, "--stall", "1"),
        "Invalid value for '--stall': 1.0 is not in the range 0<=x<=0.95"),
    "engine": (
        ("sim", *FILTER, "--engine", "steam"),
        "Invalid value for '--engine': 'steam' is not one of 'fast', 'cocotb'"),
    "shell strips": (
        ("check", *FILTER, "--descriptor", "shell", "--strip-vlan"),
        "--strip-vlan is work of the front end; a shell strips by itself"),
    "on-match of a program": (
        ("check", "x.c", "--on-match", "drop"),
        "--on-match is for --filter; a program file returns its own verdict"),
    "bench without a place": (("testbench", *FILTER), "Missing option '-o' / '--output'"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(refused, name):
    words, message = CASES[name]
    command = f"rxgate {words[0]}" if words[0] != "frob" else "rxgate"
    assert refused(*words) == f"{command}: {message}. See {command} --help."


@pytest.mark.parametrize("command", ["check", "run", "sim", "compile", "disasm", "testbench"])
def test_no_json_for_a_refusal(refused, command):
    assert "--json" not in refused(command, "--json", "--filter", "udp", "--frob")


def test_no_command_shows_the_commands(rxgate):
    ended = rxgate()
    assert (ended.status, ended.out) == (2, "")
    for command in ("check", "compile", "demo", "disasm", "doctor", "run", "sim", "testbench"):
        assert f"\n  {command} " in ended.err


@pytest.mark.parametrize(
    "command",
    ["check", "compile", "demo", "disasm", "doctor", "run", "sim", "testbench"],
)
def test_help(rxgate, command):
    ended = rxgate(command, "--help")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: rxgate {command} [OPTIONS]")
    assert "--json" in ended.out
