"""Build a specimen that is not periodic: an edge dislocation, a spherical particle, or a crystal with features."""

from pathlib import Path

import numpy as np

from emrestore.specimen.features import featured_crystal
from emrestore.specimen.realistic import Elasticity, counted_sphere, edge_dislocation, tabulate_columns
from emrestore.workflow import run


def main(
    structure: Path, columns: Path, *, field: str, species: str, lattice_constant: float, width: float, settings: dict
) -> None:
    """Write the atoms (extended XYZ, Å) and the table of columns: place [Å], number of atoms and what is special."""
    if field == "dislocation":
        elasticity = Elasticity(settings["c11"], settings["c12"], settings["c44"])
        atoms, core = edge_dislocation(species, lattice_constant, elasticity, width, settings["periods"])
        table = tabulate_columns(atoms, core, settings["core_radius"])
    elif field == "particle":
        atoms = counted_sphere(
            species,
            lattice_constant,
            settings["squared_diameter"],
            width,
            settings["columns"],
            settings["thickest"],
        )
        table = tabulate_columns(atoms, np.full(2, width / 2), settings["core_radius"])
    else:
        atoms, table = featured_crystal(species, lattice_constant, settings["cells"], width)
    atoms.write(structure, format="extxyz")
    table.rename_axis("column").to_csv(columns, float_format="%.9f", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
