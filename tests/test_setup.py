"""The set-up script makes its environment once and whole; Python and apt-get are stand-ins here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = """#!/bin/sh
case "$*" in
    -V*) echo Python 3.11.99 ;;
    "-m venv "*)
        mkdir "$3/bin"
        cp "$0" "$3/bin/python"
        printf '#!/bin/sh\\necho "ran in $PWD:" "$@"\\n' >"$3/bin/rxgate"
        chmod +x "$3/bin/rxgate" ;;
    "-m pip "*) [ -z "${NO_NETWORK-}" ] || { echo "no network"; exit 1; } ;;
    "-m pytest "*) echo "pytest in $PWD:" "$@" ;;
    *ensurepip*) [ -z "${NO_VENV-}" ] ;;
esac
"""
FAKES = {
    "python": PYTHON,
    "apt-get": '#!/bin/sh\necho "$@" >>"$APT_LOG"\n[ -z "${NO_NETWORK-}" ]\n',
    "sudo": "#!/bin/sh\nexit 1\n",
    "id": '#!/bin/sh\necho "${USER_ID-0}"\n',
    "c++": "#!/bin/sh\n",
    "make": "#!/bin/sh\n",
    "perl": "#!/bin/sh\n",
}


class Checkout:
    """A copy of what the script needs, in a folder with a space in its name."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a checkout"
        self.root.mkdir()
        for name in ("rxgate", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.root)
        self.tools = folder / "tools"
        self.tools.mkdir()
        for name, text in FAKES.items():
            (self.tools / name).write_text(text)
            (self.tools / name).chmod(0o755)
        self.apt_log = folder / "apt.log"

    def start(self, *command: str | Path, cwd: Path | None = None, **env: str) -> subprocess.Popen:
        paths = f"{self.tools}:{os.environ['PATH']}"
        known = {"PATH": paths, "PYTHON": str(self.tools / "python"), "APT_LOG": str(self.apt_log)}
        return subprocess.Popen(
            [*(command or (self.root / "rxgate", "demo"))], cwd=cwd or self.root.parent,
            env=known | env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def call(self, *command: str | Path, cwd: Path | None = None, **env: str) -> tuple:
        """Exit status, standard output, standard error."""
        process = self.start(*command, cwd=cwd, **env)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_second_call_only_runs(checkout: Checkout, tmp_path: Path) -> None:
    status, out, err = checkout.call()
    assert (status, out) == (0, f"ran in {tmp_path}: demo\n")
    assert err.splitlines()[-1] == "rxgate: set-up done"
    assert checkout.call(checkout.root / "rxgate", "sim", "a b") == (
        0, f"ran in {tmp_path}: sim a b\n", "",
    )


def test_through_a_link(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "link").symlink_to("../again")
    (tmp_path / "again").symlink_to(checkout.root / "rxgate")
    assert checkout.call(tmp_path / "bin" / "link", "doctor")[:2] == (
        0, f"ran in {tmp_path}: doctor\n",
    )
    assert (checkout.root / ".venv" / "ready-core").exists()


def test_tests_run_at_the_root(checkout: Checkout) -> None:
    status, out, _ = checkout.call(checkout.root / "rxgate", "test", "-k", "x")
    assert (status, out) == (0, f"pytest in {checkout.root}: -m pytest -n auto -k x\n")
    assert checkout.call(checkout.root / "rxgate", "test")[2] == ""


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_dependencies_are_installed(checkout: Checkout, name: str) -> None:
    checkout.call()
    with (checkout.root / name).open("a") as file:
        file.write("# changed\n")
    assert "set-up done" in checkout.call()[2]
    assert checkout.call()[2] == ""


def test_a_failure_leaves_nothing_that_counts(checkout: Checkout) -> None:
    status, out, err = checkout.call(NO_NETWORK="1")
    assert (status, out) == (1, "")
    assert "no network\nrxgate: the packages could not be installed\n" in err
    assert checkout.call()[0] == 0


def test_only_one_of_two_calls_sets_up(checkout: Checkout) -> None:
    """The lock is real: the stand-in has the system's Python take it."""
    path = checkout.tools / "python"
    path.write_text(PYTHON.replace("case", f'case "$*" in *fcntl*) exec {shutil.which("python3")}'
                                   ' "$@" ;; "-m pip "*) sleep 0.3 ;; esac\ncase', 1))  # fmt: skip
    both = [checkout.start(), checkout.start()]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted("set-up done" in text for text in said) == [False, True]


def test_an_environment_of_somebody_else_is_left_alone(checkout: Checkout) -> None:
    theirs = checkout.root / ".venv" / "theirs"
    theirs.mkdir(parents=True)
    status, _, err = checkout.call()
    assert status == 1
    assert err.endswith(f"{theirs.parent} was made by something else; move it away first\n")
    assert theirs.exists()


def test_packages_come_by_apt_when_it_may(checkout: Checkout) -> None:
    checkout.call(NO_VENV="1")
    update, install = checkout.apt_log.read_text().splitlines()
    assert update == "update"
    assert install.startswith("install --yes --no-install-recommends python-venv")


def test_packages_that_need_an_administrator_are_named(checkout: Checkout) -> None:
    _, _, err = checkout.call(NO_VENV="1", USER_ID="1000")
    line = "run: sudo apt-get install --yes --no-install-recommends python-venv"
    assert line in err
    assert not checkout.apt_log.exists()


def test_no_python(checkout: Checkout) -> None:
    status, _, err = checkout.call(PYTHON="no-such-python")
    assert (status, err) == (1, "rxgate: needs Python 3.11 or newer; set PYTHON to one\n")
