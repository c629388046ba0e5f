"""Packet filters written for the kernel's earliest receive hook -> verified hardware pipelines."""

__version__ = "0.1.0"
