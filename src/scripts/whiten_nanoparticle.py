"""Make the clean image of a particle on carbon as a sum of profiles, and its whitening transforms."""

from pathlib import Path

import numpy as np
import torch
import xarray as xr

from emrestore import store
from emrestore.image import profiles
from emrestore.image.render import render
from emrestore.rng import stream
from emrestore.specimen.atoms import Atoms, join
from emrestore.specimen.named import nanoparticle
from emrestore.specimen.packing import AmorphousRanges, draw_amorphous
from emrestore.specimen.structure import fill
from emrestore.train.losses import whiten
from emrestore.workflow import run

CARBON = 6


def main(image: Path, *, settings: dict, species: str, lattice_constant: float, ranges: dict, seed: int) -> None:
    """Write the image and one transform for each window (panel, y, x)."""
    shape, pixel_size = settings["shape"], settings["pixel_size"]
    width = shape * pixel_size
    particle = nanoparticle(species, lattice_constant, settings["diameter"], width)
    density, distance = settings["carbon_density"], settings["carbon_distance"]
    film = AmorphousRanges((CARBON, CARBON), (density, density), (distance, distance), width)
    carbon, _ = draw_amorphous(film, stream(seed, "whitening", "carbon"))
    box = np.array([width, width, settings["carbon_thickness"]])
    atoms = join(
        Atoms(particle.positions, particle.numbers.astype(np.int16)), fill(carbon, np.eye(3), box, np.full(3, 0.5))
    )
    # the middle of each range; the heavier element is the brighter
    mean = profiles.Ranges(
        **{name: 2 * [sum(ranges[name]) / 2] for name in ("exponent", "order", "weight", "power")}, ordering="power"
    )
    chosen, _ = profiles.sample(mean, atoms.numbers, stream(seed, "whitening", "profiles"))
    clean = render(atoms.positions[:, :2], atoms.numbers, chosen, (shape, shape), pixel_size)
    clean = torch.tensor(clean / clean.max())[None, None]
    panels = {"clean": clean} | {
        f"window {window} px": whiten(clean, window, settings["floor"]) for window in settings["windows"]
    }
    dataset = xr.Dataset(
        {"image": (("panel", "y", "x"), torch.cat(list(panels.values()))[:, 0].numpy(), {"units": "1"})},
        coords={"panel": list(panels)},
        attrs={"pixel_size": pixel_size},
    )
    store.write(dataset, image, {"settings": settings, "species": species, "seed": seed})


if "snakemake" in globals():
    run(main, snakemake)
