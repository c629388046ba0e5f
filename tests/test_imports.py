"""Imports point one way: ctx_map <- hdl, ctx_map <- compiler <- sim <- boards; few may see Amaranth."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("ctx_map", "hdl", "compiler", "sim", "boards")
MODULES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix()
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
)
GENERATORS = ("compiler/codegen", "compiler/driver", "compiler/manifest")
"""The compiler's modules that see hardware: the code generator, who calls it, who describes it."""
JUDGES = ("sim/helpers", "sim/interp", "sim/semantics")
"""What says how a program behaves knows instructions, and nothing that compiles them."""
ALLOWED = {
    "ctx_map": ("ctx_map",),
    "hdl": ("ctx_map", "hdl"),
    "compiler": ("ctx_map", "compiler"),
    "sim": ("ctx_map", "hdl", "compiler", "sim"),
    "boards": FOLDERS,
}


def imports(module: str) -> Iterator[str]:
    """What a module imports: `folder/file` for ours, the first name for others."""
    path = ROOT / f"{module}.py"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            base = path.parents[node.level - 1].relative_to(ROOT).as_posix()
            target = "/".join(p for p in (base, *(node.module or "").split(".")) if p not in (".", ""))
            for alias in node.names:
                inner = f"{target}/{alias.name}".lstrip("/")
                is_module = (ROOT / f"{inner}.py").exists() or (ROOT / inner).is_dir()
                yield inner if is_module else target or "__init__"


def ours(module: str) -> list[str]:
    return [name for name in imports(module) if name.split("/")[0] in FOLDERS]


def test_all_folders_are_read():
    assert {m.split("/")[0] for m in MODULES} == set(FOLDERS)


@pytest.mark.parametrize("module", MODULES)
def test_direction(module):
    allowed = ALLOWED[module.split("/")[0]]
    if module.startswith(GENERATORS):
        allowed = (*allowed, "hdl")
    assert [name for name in ours(module) if name.split("/")[0] not in allowed] == []


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith(("compiler", "ctx_map"))])
def test_amaranth_is_for_the_code_generator(module):
    if not module.startswith("compiler/codegen"):
        assert "amaranth" not in imports(module)


@pytest.mark.parametrize("module", JUDGES)
def test_judges_know_only_instructions(module):
    seen = [name for name in ours(module) if name.startswith("compiler")]
    assert set(seen) <= {"compiler/insn", "compiler/expand"}
    assert not [name for name in ours(module) if name.startswith("hdl")]


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("sim/")])
def test_simulation_never_sees_the_graph(module):
    """No executor but the compiler's own evaluator reads the dataflow graph or its schedule."""
    hidden = ("compiler/ir", "compiler/lift", "compiler/passes", "compiler/schedule")
    allowed = ("sim/mismatch", "sim/fuzz_case")
    if module not in allowed:
        assert [n for n in ours(module) if n.startswith(hidden)] == []


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith(("hdl", *GENERATORS))])
def test_annotations_are_values(module):
    """Amaranth reads annotations of components; a future import would make texts of them."""
    assert "__future__" not in imports(module)


def test_users_see_a_thin_command():
    """The command line calls; it holds nothing that others import."""
    assert not [m for m in MODULES if "cli" in imports(m)]
