"""Simulate the cross sections of columns of 1, 2, ... atoms, for some phonon configurations."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore.errors import EmrestoreError
from emrestore.multislice import cell_points, check, detected_fraction, nyquist_step, scattered_positions, settings_of
from emrestore.rng import integer_seed, stream
from emrestore.specimen.named import bulk
from emrestore.workflow import run


def main(
    table: Path,
    *,
    configurations: list[int],
    atoms: int,
    scan_points: int,
    settings: dict,
    species: str,
    lattice_constant: float,
    cells_xy: int,
    seed: int,
) -> None:
    """Write one row per configuration and number of atoms: the cross section [Å²].

    In [001] the atoms of an fcc column are a cell apart, so a crystal of n cells has n atoms in every column. The cross
    section is the mean detected fraction over a column's area of (a/2)²; the finite source does not change it.
    """
    optics = settings_of(settings, lattice_constant)
    check(optics, lattice_constant * cells_xy)
    pitch = lattice_constant / 2
    # the mean over a period is exact once no harmonic within the image's band, up to 2 α / λ, aliases onto it
    if pitch / scan_points >= 2 * nyquist_step(optics):
        raise EmrestoreError(
            f"a scan of {scan_points} points along {pitch:g} Å is too coarse for the mean: set library/scan_points to "
            f"at least {int(pitch / (2 * nyquist_step(optics))) + 1}"
        )
    crystal, numbers = bulk(species, lattice_constant, cells_xy, atoms), np.arange(1, atoms + 1)
    rows = []
    for configuration in configurations:
        scatter = stream(seed, "scan", "library", configuration)
        positions = scattered_positions(cell_points(pitch, scan_points), pitch, 2 * cells_xy, scatter)
        phonons = integer_seed(seed, "phonons", "library", configuration)
        fraction = detected_fraction(crystal, optics, positions, lattice_constant, numbers, phonons)
        scs = fraction.mean(axis=1) * pitch**2
        rows.append(pd.DataFrame({"configuration": configuration, "atoms": numbers, "scs": scs}))
    # exact text: averages do not depend on how configurations were shared out
    pd.concat(rows).to_csv(table, index=False, float_format="%.17g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
