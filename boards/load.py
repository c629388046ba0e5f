"""A bitstream that was written -> the board, by openFPGALoader."""

import shutil
from pathlib import Path

from ..compiler.errors import ToolError
from ..sim.tools import Tool
from .kit import Kit


def load(bitstream: Path, kit: Kit, cable: str | None) -> None:
    """Into the FPGA's memory, where it is until power goes. ToolError if it is not loaded.

    `cable` is openFPGALoader's name of the adapter, instead of the board's own.
    """
    try:
        adapter = cable or kit.adapter
        named = ("-b", kit.loader) if kit.loader else ()
        through = ("-c", adapter) if adapter else ()
        _openfpgaloader().run(*named, *through, "-m", bitstream)
    except ToolError as error:
        raise ToolError(f"{error} Nothing was loaded; {bitstream} is written.") from None


def _openfpgaloader() -> Tool:
    found = shutil.which("openFPGALoader")
    if found is None:
        raise ToolError(
            "openFPGALoader is missing. `apt-get install openfpgaloader` where there is such a"
            " package, or see its project's pages."
        )
    return Tool("openFPGALoader", (found,), "", found)
