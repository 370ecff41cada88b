"""Simulate the HAADF thickness series of one frozen-phonon configuration."""

from pathlib import Path

import ase.io
import numpy as np
import xarray as xr

from emrestore import store
from emrestore.multislice import cell_points, check, detected_fraction, scattered_positions, settings_of
from emrestore.rng import integer_seed, stream
from emrestore.workflow import run


def main(
    structure: Path,
    image: Path,
    *,
    specimen: str,
    configuration: int,
    settings: dict,
    lattice_constant: float,
    cells_xy: int,
    thicknesses: list[int],
    perfect: bool,
    scan_points: int,
    seed: int,
) -> None:
    """Write the detected fraction (thickness, y, x) over one period of the image.

    The period is half a unit cell for the perfect crystal, whose scan points are scattered over equivalent places of
    the supercell so that one configuration samples many columns; for displaced columns it is the supercell.
    """
    optics = settings_of(settings, lattice_constant)
    supercell = lattice_constant * cells_xy
    check(optics, supercell)
    pitch = lattice_constant / 2
    period = pitch if perfect else supercell
    positions = cell_points(period, scan_points)
    if perfect:
        scatter = stream(seed, "scan", specimen, configuration)
        positions = scattered_positions(positions, pitch, 2 * cells_xy, scatter)
    atoms = ase.io.read(structure)
    phonons = integer_seed(seed, "phonons", specimen, configuration)
    fraction = detected_fraction(atoms, optics, positions, lattice_constant, thicknesses, phonons)
    fraction = fraction.reshape(len(thicknesses), scan_points, scan_points)
    dataset = xr.Dataset(
        {"fraction": (("thickness", "y", "x"), fraction, {"units": "detected fraction"})},
        coords={
            "thickness": ("thickness", np.asarray(thicknesses), {"units": "unit cells"}),
            "y": ("y", np.arange(scan_points) * period / scan_points, {"units": "Å"}),
            "x": ("x", np.arange(scan_points) * period / scan_points, {"units": "Å"}),
        },
        attrs={"period": period, "pitch": pitch, "supercell": supercell, "columns": (2 * cells_xy) ** 2},
    )
    parameters = {"specimen": specimen, "configuration": configuration, "settings": settings, "seed": seed}
    store.write(dataset, image, parameters)


if "snakemake" in globals():
    run(main, snakemake)
