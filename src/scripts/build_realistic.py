"""Build a specimen of the realistic studies: an edge dislocation, or a spherical particle."""

from pathlib import Path

import numpy as np

from emrestore.specimen.realistic import Elasticity, counted_sphere, edge_dislocation, tabulate_columns
from emrestore.workflow import run


def main(
    structure: Path, columns: Path, *, field: str, species: str, lattice_constant: float, width: float, settings: dict
) -> None:
    """Write the atoms (extended XYZ, Å) and the table of columns: place [Å], number of atoms, in the core or not."""
    if field == "dislocation":
        elasticity = Elasticity(settings["c11"], settings["c12"], settings["c44"])
        atoms, core = edge_dislocation(species, lattice_constant, elasticity, width, settings["periods"])
    else:
        atoms = counted_sphere(
            species,
            lattice_constant,
            settings["squared_diameter"],
            width,
            settings["columns"],
            settings["thickest"],
        )
        core = np.full(2, width / 2)
    atoms.write(structure, format="extxyz")
    table = tabulate_columns(atoms, core, settings["core_radius"])
    table.to_csv(columns, index_label="column", float_format="%.9f", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
