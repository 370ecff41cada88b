"""The specimens of the paper's realistic studies, an edge dislocation and a sphere, and the tables of their columns."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from emrestore.errors import EmrestoreError
from emrestore.specimen.named import nanoparticle

#: Atoms whose projections are nearer than this belong to one column [Å]; columns are at least 1 Å apart.
SAME_COLUMN = 0.3


@dataclass(frozen=True)
class Elasticity:
    """Elastic constants of a cubic crystal [GPa]."""

    c11: float
    c12: float
    c44: float


def edge_dislocation(
    species: str, lattice_constant: float, elasticity: Elasticity, width: float, periods: int
) -> tuple[Atoms, np.ndarray]:
    """Build an fcc crystal with one edge dislocation along the beam, by anisotropic linear elasticity.

    Burgers vector 1/2[1-10], glide plane (111), x along [1-10], y along [111], beam along [-1-12]. The index signs
    that the paper lost are those of this set: the Burgers vector lies in the glide plane, the line in the glide plane
    and across the Burgers vector. Atoms are not relaxed, and the dislocation is not split into partials, as in the
    paper.

    Parameters
    ----------
    species
        Chemical symbol.
    lattice_constant
        Edge a of the cubic cell [Å].
    elasticity
        Elastic constants.
    width
        Edge of the square whose middle is the glide plane, below or above the dislocation [Å].
    periods
        Periods along the beam, a √6 / 2 each. Every column has one atom a period.

    Returns
    -------
    atoms : Atoms
        Within [0, width) along x and y, in a box that is a whole number of periods deep.
    core : ndarray
        (2,) x, y of the dislocation [Å].
    """
    # heavy, and not needed to build the other specimens
    from matscipy.dislocation import FCCEdge110Dislocation

    builder = FCCEdge110Dislocation(
        lattice_constant, C11=elasticity.c11, C12=elasticity.c12, C44=elasticity.c44, symbol=species
    )
    # the cylinder must hold the square's corners
    _, slab = builder.build_cylinder(
        radius=width / np.sqrt(2) + lattice_constant, partial_distance=0, fix_width=0.1, method="adsl", verbose=False
    )
    core = np.asarray(slab.info["core_positions"][0][:2], dtype=float)
    period = slab.cell.lengths()[2]
    # the middle is the glide plane, halfway between planes of atoms, which those far from the core show: an image about
    # it cuts no plane
    x, y = (slab.positions[:, :2] - core).T
    phase = np.exp(2j * np.pi * y[np.abs(x) > width / 3] * np.sqrt(3) / lattice_constant)
    above = (np.angle(-phase.mean()) / (2 * np.pi)) * lattice_constant / np.sqrt(3)
    middle = core + np.array([0, above])
    places = slab.positions - [*(middle - width / 2), 0]
    places[:, 2] %= period
    # six planes a period, the outer ones half a plane's distance within the box, where phonons leave them
    places[:, 2] = (places[:, 2] - places[:, 2].min() + period / 12) % period
    inside = ((places[:, :2] >= 0) & (places[:, :2] < width)).all(axis=1)
    atoms = Atoms(f"{species}{inside.sum()}", positions=places[inside], cell=[width, width, period], pbc=True)
    return atoms * (1, 1, periods), width / 2 + core - middle


def counted_sphere(
    species: str, lattice_constant: float, squared_diameter: float, width: float, columns: int, thickest: int
) -> Atoms:
    """Build the spherical fcc particle in [100] that has the paper's number of columns.

    The paper says 11 unit cells across and 333 columns, which exclude each other (a diameter of 11 a gives 373); a
    sphere about an atom of 11 atoms across has both numbers.

    Parameters
    ----------
    species
        Chemical symbol.
    lattice_constant
        Edge a of the cubic cell [Å].
    squared_diameter
        Atoms at r from the central atom belong to the particle if 4 r² / a² is at most this.
    width
        Edge of the box along x and y [Å].
    columns
        Number of columns that is expected.
    thickest
        Number of atoms in the central column that is expected.

    Returns
    -------
    Atoms
        In the middle of the box along x and y; layers lie at a/8 + m a/2, the last a/8 + a/4 before the box ends.

    Raises
    ------
    EmrestoreError
        If the selection gives another number of columns, or of atoms in the thickest.
    """
    atoms = nanoparticle(species, lattice_constant, lattice_constant * np.sqrt(squared_diameter), width)
    atoms.positions[:, 2] += lattice_constant / 8 - atoms.positions[:, 2].min()
    layers = round(np.ptp(atoms.positions[:, 2]) / (lattice_constant / 2)) + 1
    atoms.set_cell([width, width, layers * lattice_constant / 2])
    counts = np.bincount(column_of_atoms(atoms))
    if (len(counts), counts.max()) != (columns, thickest):
        raise EmrestoreError(
            f"a squared diameter of {squared_diameter:g} a² gives {len(counts)} columns, the thickest of "
            f"{counts.max()} atoms, and not {columns} and {thickest}: correct either"
        )
    return atoms


def column_of_atoms(atoms: Atoms) -> np.ndarray:
    """Give each atom's column, (n,), numbered from 0 in the order of their first atoms."""
    pairs = cKDTree(atoms.positions[:, :2]).query_pairs(SAME_COLUMN, output_type="ndarray")
    joined = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(atoms), len(atoms)))
    return connected_components(joined, directed=False)[1]


def tabulate_columns(atoms: Atoms, core: np.ndarray, core_radius: float) -> pd.DataFrame:
    """Tabulate the columns of a specimen.

    Parameters
    ----------
    atoms
        Specimen with columns along z.
    core
        (2,) x, y of the point about which columns are marked [Å].
    core_radius
        Columns up to this far from it are marked [Å].

    Returns
    -------
    DataFrame
        ``x``, ``y`` [Å] (means of the column's atoms), ``atoms`` (their number), ``core`` (marked or not); a row per
        column, by y, then x.
    """
    column = column_of_atoms(atoms)
    counts = np.bincount(column)
    x, y = (np.bincount(column, place) / counts for place in atoms.positions[:, :2].T)
    marked = np.hypot(x - core[0], y - core[1]) <= core_radius
    table = pd.DataFrame({"x": x, "y": y, "atoms": counts, "core": marked})
    # rounded, or rows of a crystal would be ordered by the last bit
    return table.iloc[np.lexsort((x.round(6), y.round(6)))].reset_index(drop=True)
