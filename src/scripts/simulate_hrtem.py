"""Simulate the HRTEM image of a nanoparticle."""

from pathlib import Path

import numpy as np
import xarray as xr

from emrestore import store
from emrestore.hrtem import Settings, check, hrtem_image
from emrestore.rng import integer_seed
from emrestore.specimen.named import nanoparticle
from emrestore.workflow import run


def main(
    image: Path,
    *,
    settings: dict,
    species: str,
    lattice_constant: float,
    phonon_rms: float,
    seed: int,
) -> None:
    """Write the intensity (y, x) relative to the incident beam, averaged over frozen-phonon configurations."""
    optics = Settings(
        energy=settings["energy"],
        c30=settings["c30"],
        defocus=settings["defocus"],
        focal_spread=settings["focal_spread"],
        angular_spread=settings["angular_spread"],
        aperture=settings["aperture"],
        shape=settings["shape"],
        gpts=settings["gpts"],
        slice_thickness=lattice_constant / settings["slices_per_cell"],
        phonon_rms=phonon_rms,
    )
    pixel_size, diameter = settings["pixel_size"], settings["diameter"]
    width = pixel_size * optics.shape
    check(optics, width, diameter)
    atoms = nanoparticle(species, lattice_constant, diameter, width)
    seeds = [integer_seed(seed, "phonons", "hrtem", number) for number in range(settings["phonon_configurations"])]
    line = np.arange(optics.shape) * pixel_size
    dataset = xr.Dataset(
        {"intensity": (("y", "x"), hrtem_image(atoms, optics, seeds), {"units": "incident intensity"})},
        coords={"y": ("y", line, {"units": "Å"}), "x": ("x", line, {"units": "Å"})},
        attrs={"pixel_size": pixel_size, "atoms": len(atoms)},
    )
    parameters = {
        "settings": settings,
        "species": species,
        "lattice_constant": lattice_constant,
        "phonon_rms": phonon_rms,
        "seed": seed,
    }
    store.write(dataset, image, parameters)


if "snakemake" in globals():
    run(main, snakemake)
