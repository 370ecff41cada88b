"""Restoration of single-shot electron micrographs, and what it does to the numbers measured from them."""

__version__ = "0.1.0"
