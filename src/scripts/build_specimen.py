"""Build a specimen: fcc [001], perfect or with columns displaced as a whole."""

from pathlib import Path

import pandas as pd

from emrestore.rng import stream
from emrestore.specimen.named import bulk, column_sites, displace_columns
from emrestore.workflow import run


def main(
    structure: Path,
    columns: Path,
    *,
    specimen: str,
    species: str,
    lattice_constant: float,
    cells_xy: int,
    cells_z: int,
    displacement: float,
    seed: int,
) -> None:
    """Write the atoms (extended XYZ, Å) and the table of columns: lattice site and displacement [Å]."""
    atoms = bulk(species, lattice_constant, cells_xy, cells_z)
    sites = column_sites(lattice_constant, cells_xy)
    shifts = 0 * sites
    if displacement > 0:
        drawn_from = stream(seed, "displacements", specimen)
        atoms, shifts = displace_columns(atoms, lattice_constant, cells_xy, displacement, drawn_from)
    atoms.write(structure, format="extxyz")
    table = {"x_site": sites[:, 0], "y_site": sites[:, 1], "dx": shifts[:, 0], "dy": shifts[:, 1]}
    pd.DataFrame(table).to_csv(columns, index_label="column", float_format="%.9f", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
