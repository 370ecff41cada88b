"""Restoration of single-shot electron micrographs, and what it does to the numbers measured from them.

``restore`` and ``fit_columns`` are imported when first used, so that ``import emrestore`` stays quick. This file holds
no logic: the digests that decide what a changed line reruns leave it out.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["fit_columns", "restore"]

if TYPE_CHECKING:
    from emrestore.columns.fit import fit_columns
    from emrestore.restore import restore


def __getattr__(name: str):
    if name == "restore":
        # the subpackage emrestore.restore and its function share the name; the function is what users want
        from emrestore.restore import restore

        globals()["restore"] = restore
        return restore
    if name == "fit_columns":
        from emrestore.columns.fit import fit_columns

        return fit_columns
    raise AttributeError(f"module 'emrestore' has no attribute {name!r}")
