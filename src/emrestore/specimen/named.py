"""The specimens that the paper names, fcc in [001]: bulk, perfect or with displaced columns, and a nanoparticle."""

import ase.build
import numpy as np
import pandas as pd
from ase import Atoms


def bulk(species: str, lattice_constant: float, cells_xy: int, cells_z: int) -> Atoms:
    """Build an fcc crystal in [001], periodic in x, y and z.

    Parameters
    ----------
    species
        Chemical symbol.
    lattice_constant
        Edge a of the cubic cell [Å].
    cells_xy, cells_z
        Cells along x and y, and along the beam.

    Returns
    -------
    Atoms
        Columns lie at multiples of a/2 in x and y, see :func:`column_sites`. Layers lie at a/8 + m a/2, so that
        neither slices of a/2 nor of a/4 cut through a thermally displaced layer.
    """
    atoms = ase.build.bulk(species, "fcc", a=lattice_constant, cubic=True) * (cells_xy, cells_xy, cells_z)
    atoms.positions[:, 2] += lattice_constant / 8
    return atoms


def nanoparticle(species: str, lattice_constant: float, diameter: float, width: float) -> Atoms:
    """Build a spherical fcc particle in [001], centred on an atom, in the middle of a vacuum box.

    Parameters
    ----------
    species
        Chemical symbol.
    lattice_constant
        Edge a of the cubic cell [Å].
    diameter
        Diameter of the sphere that all atoms lie in [Å].
    width
        Edge of the box along x and y [Å].

    Returns
    -------
    Atoms
        Beside the sphere is (width - diameter)/2 of vacuum, before and behind its outer layers at least a/2. The box
        is a whole number of a/2 deep, and layers lie at a/8 + m a/2 as in :func:`bulk`.
    """
    layers = int(diameter / lattice_constant)  # either side of the centre
    cells = layers // 2 + 1
    atoms = ase.build.bulk(species, "fcc", a=lattice_constant, cubic=True) * (2 * cells + 1)
    atoms.positions -= cells * lattice_constant
    atoms = atoms[np.linalg.norm(atoms.positions, axis=1) <= diameter / 2]
    atoms.set_cell([width, width, (2 * layers + 3) * lattice_constant / 2])
    atoms.positions += [width / 2, width / 2, (layers + 1.25) * lattice_constant / 2]
    return atoms


def column_sites(lattice_constant: float, cells_xy: int) -> np.ndarray:
    """Give the columns' lattice sites x, y [Å], ((2 cells_xy)², 2), y outermost."""
    line = np.arange(2 * cells_xy) * lattice_constant / 2
    y, x = np.meshgrid(line, line, indexing="ij")
    return np.stack([x.ravel(), y.ravel()], axis=-1)


def column_of_atoms(atoms: Atoms, lattice_constant: float, cells_xy: int) -> np.ndarray:
    """Give each atom's column as an index into :func:`column_sites`, for atoms near their sites."""
    x, y = np.rint(atoms.positions[:, :2].T / (lattice_constant / 2)).astype(int) % (2 * cells_xy)
    return y * 2 * cells_xy + x


def displace_columns(
    atoms: Atoms, lattice_constant: float, cells_xy: int, sigma: float, generator: np.random.Generator
) -> tuple[Atoms, np.ndarray]:
    """Displace whole columns of :func:`bulk` in the plane, each by its own normal deviates.

    Parameters
    ----------
    atoms
        What :func:`bulk` built.
    sigma
        Standard deviation of the displacement along x and along y [Å].
    generator
        Stream that the displacements are drawn from.

    Returns
    -------
    displaced : Atoms
        A displaced copy.
    shifts : ndarray
        (columns, 2) displacements [Å] in the order of :func:`column_sites`; their mean is zero, so that the lattice
        stays where it was.
    """
    shifts = sigma * generator.standard_normal((4 * cells_xy**2, 2))
    shifts -= shifts.mean(axis=0)
    displaced = atoms.copy()
    displaced.positions[:, :2] += shifts[column_of_atoms(atoms, lattice_constant, cells_xy)]
    return displaced, shifts


def columns_in_view(
    table: pd.DataFrame, supercell: float, origin: np.ndarray, pixel_size: float, shape: tuple[int, int]
) -> pd.DataFrame:
    """Repeat a supercell's columns over a field of view and give them in pixels.

    Parameters
    ----------
    table
        Columns ``column, x_site, y_site, dx, dy`` [Å].
    supercell
        Period along x and y [Å].
    origin
        (2,) x, y of the centre of pixel (0, 0) [Å].
    pixel_size
        Edge of a pixel [Å].
    shape
        (Y, X) of the image [px].

    Returns
    -------
    DataFrame
        The same in px for all columns whose site lies within the image, a row each, by y, then x.
    """
    sites = table[["x_site", "y_site"]].to_numpy()
    extent = np.array([shape[1], shape[0]]) * pixel_size
    first = np.floor((origin - sites.max(axis=0)) / supercell).astype(int)
    last = np.ceil((origin + extent - sites.min(axis=0)) / supercell).astype(int)
    repeats = []
    for j in range(first[1], last[1] + 1):
        for i in range(first[0], last[0] + 1):
            repeats.append(table.assign(x_site=sites[:, 0] + i * supercell, y_site=sites[:, 1] + j * supercell))
    view = pd.concat(repeats, ignore_index=True)
    view[["x_site", "y_site"]] = (view[["x_site", "y_site"]] - origin) / pixel_size
    view[["dx", "dy"]] /= pixel_size
    inside = view["x_site"].between(-0.5, shape[1] - 0.5) & view["y_site"].between(-0.5, shape[0] - 0.5)
    return view[inside].sort_values(["y_site", "x_site"]).reset_index(drop=True)
