"""`rxgate check --all`: a row for each program of an object, whatever becomes of the others."""

import json

from click.testing import CliRunner
from rxgate.cli import cli

SOURCE = """
#include <rxgate/phys_dev.h>
SEC("phys_dev/good") int good(struct xdp_metadata *c) { return c->len > 64; }
SEC("phys_dev/loop") int loop(struct xdp_metadata *c)
{
    int sum = 0;
    for (unsigned i = 0; i < c->len; i++)
        sum += load_byte(c, i);
    return sum;
}
SEC("xdp") int pass(void *c) { return 2; }
"""


def test_each_program_has_a_row(tmp_path):
    path = tmp_path / "several.c"
    path.write_text(SOURCE)
    result = CliRunner().invoke(cli, ["check", "--all", str(path), "--json"])
    assert result.exit_code == 0, result.output
    rows = {r["function"]: r for r in json.loads(result.stdout)["programs"]}
    assert list(rows) == ["good", "loop", "pass"]
    assert rows["good"]["compiles"]
    assert rows["good"]["stages"] == 1
    assert rows["pass"]["compiles"]
    assert not rows["loop"]["compiles"]
    assert "not proven to end" in rows["loop"]["reason"]
    shown = CliRunner().invoke(cli, ["check", "--all", str(path)])
    assert shown.exit_code == 0
    assert "phys_dev/loop" in shown.stdout


def test_what_all_cannot_go_with(refused):
    assert "--all needs a program file" in refused("check", "--all")
    for word in ("--section", "--function", "--filter"):
        assert f"--all and {word} contradict" in refused("check", "p.o", "--all", word, "x")
