"""Restoration of single-shot electron micrographs, and what it does to the numbers measured from them.

``import emrestore`` is quick: what needs PyTorch is imported when first used. This file holds no logic: the
digests that decide what a changed line reruns leave it out.
"""

from typing import TYPE_CHECKING

# bound here and now, because the subpackage of the same name would otherwise take the function's place
from emrestore.restore import restore

if TYPE_CHECKING:
    from emrestore.columns.fit import fit_columns

__version__ = "0.1.0"
__all__ = ["fit_columns", "restore"]


def __getattr__(name: str):
    if name == "fit_columns":
        from emrestore.columns.fit import fit_columns

        return fit_columns
    raise AttributeError(f"module 'emrestore' has no attribute {name!r}")
