"""Requests for operations -> the smallest node that computes them: the IR's only constructor.

Equal nodes are one node; operations on constants, on known bits and on wiring become wiring; every
operation is made as narrow as its known bits allow. The rules look at a node and its arguments only.
"""

from .arithmetic import Arithmetic
from .table import Table


class Builder(Arithmetic, Table):
    """Collects nodes. Methods return node numbers; `origin` is written into new nodes."""
