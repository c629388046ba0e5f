"""Design -> report.html: one page that shows the pipeline beside its program, without a network."""

from .page import render

__all__ = ["REPORT", "render"]

REPORT = "report.html"
