"""A crystal in [001] with single features that a network with a prior might erase or invent, far from each other."""

import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols

from emrestore.errors import EmrestoreError

#: Columns between neighbouring features, and from a feature to the border of the crystal.
PITCH, BORDER = 3, 3
#: Displacements of a lone column along x and along y [Å].
DISPLACEMENTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
#: How often each other feature occurs.
OTHERS = {
    "vacant column": 2,
    "half a column": 2,
    "one atom missing": 2,
    "interstitial column": 2,
    "one atom of Z + 1": 2,
    "one atom of Z + 10": 2,
    "none": 1,
}


def features() -> list[tuple[str, float]]:
    """List all features as name and size: a displacement [Å], or zero."""
    moved = [(f"displaced along {axis}", size) for axis in "xy" for size in DISPLACEMENTS]
    return moved + [(name, 0.0) for name, times in OTHERS.items() for _ in range(times)]


def featured_crystal(species: str, lattice_constant: float, cells_z: int, width: float) -> tuple[Atoms, pd.DataFrame]:
    """Build an fcc crystal in [001] with one feature of each kind and size, and vacuum around it.

    Parameters
    ----------
    species
        Chemical symbol.
    lattice_constant
        Edge a of the cubic cell [Å].
    cells_z
        Atoms in a whole column.
    width
        Edge of the square box whose middle the crystal fills [Å].

    Returns
    -------
    atoms : Atoms
        In the box ``width`` x ``width`` x depth.
    columns : DataFrame
        One row per site, vacant and interstitial ones included: ``feature``, ``size``, true ``x, y`` and
        lattice ``x_site, y_site`` [Å], ``atoms``, and ``perfect``, the atoms that the perfect lattice has there.

    Raises
    ------
    EmrestoreError
        If the box is smaller than the crystal.

    Notes
    -----
    Features that change what a column holds change its middle: half a column is its entrance half. A substituted atom
    is in the middle as well. Interstitial columns lie between four columns and hold half as many atoms.
    """
    half = lattice_constant / 2
    planned = features()
    side = int(np.ceil(np.sqrt(len(planned))))
    count = PITCH * (side - 1) + 2 * BORDER + 1
    if width < count * half:
        raise EmrestoreError(
            f"a crystal with features is {count * half:.1f} Å wide; choose realistic/features/width larger than that"
        )
    start = (width - (count - 1) * half) / 2
    j, i = np.mgrid[:count, :count]
    table = pd.DataFrame({"i": i.ravel(), "j": j.ravel(), "feature": "", "size": 0.0})
    for place, (name, size) in enumerate(planned):
        row, column = divmod(place, side)
        at = (BORDER + PITCH * row) * count + BORDER + PITCH * column
        table.loc[at, ["feature", "size"]] = [name, size]
    table["x_site"] = start + table["i"] * half
    table["y_site"] = start + table["j"] * half
    table["perfect"] = cells_z
    between = table[table["feature"] == "interstitial column"].copy()
    between[["x_site", "y_site"]] += half / 2
    between["perfect"] = 0
    # the column beside an interstitial is whole
    table.loc[between.index, "feature"] = ""
    table = pd.concat([table, between], ignore_index=True)
    table["x"] = table["x_site"] + table["size"] * (table["feature"] == "displaced along x")
    table["y"] = table["y_site"] + table["size"] * (table["feature"] == "displaced along y")

    heavier = {"one atom of Z + 1": 1, "one atom of Z + 10": 10}
    positions, symbols, held = [], [], []
    for site in table.itertuples():
        # neighbouring columns are half a cell apart along the beam; layers lie within slices, as in bulk()
        z = lattice_constant * (np.arange(cells_z) + 0.125 + 0.5 * ((site.i + site.j) % 2))
        names = [species] * cells_z
        if site.feature == "vacant column":
            z = z[:0]
        elif site.feature in ("half a column", "interstitial column"):
            z = z[: cells_z // 2]
        elif site.feature == "one atom missing":
            z = np.delete(z, cells_z // 2)
        elif site.feature in heavier:
            names[cells_z // 2] = chemical_symbols[atomic_numbers[species] + heavier[site.feature]]
        positions += [(site.x, site.y, height) for height in z]
        symbols += names[: len(z)]
        held.append(len(z))
    table["atoms"] = held
    atoms = Atoms(symbols, positions, cell=[width, width, cells_z * lattice_constant])
    names = ["feature", "size", "x", "y", "x_site", "y_site", "atoms", "perfect"]
    return atoms, table[names]
