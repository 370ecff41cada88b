"""Clean images for training: of random specimens, or of things larger than atoms."""

from dataclasses import dataclass

import numpy as np

from emrestore import rng
from emrestore.errors import EmrestoreError
from emrestore.image import intensity, lowres, profiles
from emrestore.specimen import assemble, crystal, cuts, defects, disorder, orientation, packing

#: Edge of an image [px] below which grains are all border.
LEAST = 32


@dataclass(frozen=True)
class Ranges:
    """What clean images are drawn from.

    Attributes
    ----------
    shape
        (Y, X) [px].
    """

    shape: tuple[int, int]
    specimen: assemble.Ranges
    profiles: profiles.Ranges
    intensity: intensity.Ranges
    lowres: lowres.Ranges


def build(settings: dict) -> Ranges:
    """Read the section ``generator`` of the configuration, without units and sources."""
    parts = {
        "crystal": crystal.Ranges,
        "amorphous": packing.AmorphousRanges,
        "points": packing.PointRanges,
        "orientation": orientation.Ranges,
        "wedge": cuts.WedgeRanges,
        "shapes": cuts.ShapeRanges,
        "defects": defects.Ranges,
        "disorder": disorder.Ranges,
        "support": assemble.SupportRanges,
    }
    whole = {name: settings[name] for name in ("pixel_size", "extension", "attempts", "kinds")}
    return Ranges(
        (settings["shape"], settings["shape"]),
        assemble.Ranges(**whole, **{name: kind(**settings[name]) for name, kind in parts.items()}),
        profiles.Ranges(**settings["profiles"]),
        intensity.Ranges(**settings["intensity"]),
        lowres.Ranges(**settings["lowres"]),
    )


def sample(ranges: Ranges, modality: str, seed: int, *address: rng.Part) -> tuple[np.ndarray, dict]:
    """Make a clean image.

    Parameters
    ----------
    ranges
        What to draw from.
    modality
        Beginning with ``hr`` (atoms) or ``lr`` (larger things).
    seed, address
        Of the image; the same make the same image.

    Returns
    -------
    image : ndarray
        (Y, X) float32 from zero or more to a maximum of one.
    parameters : dict
        All that was drawn, with ``pixel_size`` [Å].

    Raises
    ------
    EmrestoreError
        If no specimen can be placed.
    """
    # brings a compiler along, and every start of the workflow checks ranges
    from emrestore.image.render import render

    steps = intensity.sample(ranges.intensity, rng.stream(seed, *address, "intensity"))
    if modality.startswith("hr"):
        atoms, drawn = assemble.sample(ranges.specimen, ranges.shape, seed, *address)
        chosen, drawn["profiles"] = profiles.sample(
            ranges.profiles, atoms.numbers, rng.stream(seed, *address, "profiles")
        )
        image = render(atoms.positions[:, :2], atoms.numbers, chosen, ranges.shape, drawn["pixel_size"])
        drawn["atoms"] = len(atoms)
    else:
        generator = rng.stream(seed, *address, "frame")
        low, high = np.log(ranges.specimen.pixel_size)
        drawn = {"kind": "low resolution", "pixel_size": float(np.exp(generator.uniform(low, high)))}
        drawn["objects"] = lowres.sample(ranges.lowres, ranges.shape, rng.stream(seed, *address, "objects"))
        image = lowres.draw(drawn["objects"], ranges.shape)
    drawn["intensity"] = steps
    return intensity.apply(image, steps), drawn


def check(ranges: Ranges) -> None:
    """Refuse ranges that give no images.

    Raises
    ------
    EmrestoreError
        Naming the section and the field.
    """
    if min(ranges.shape) < LEAST:
        raise EmrestoreError(f"'shape' must be at least {LEAST} px, not {min(ranges.shape)}")
    assemble.check(ranges.specimen)
    for name, test in (("profiles", profiles.check), ("intensity", intensity.check), ("lowres", lowres.check)):
        try:
            test(getattr(ranges, name))
        except EmrestoreError as error:
            raise EmrestoreError(f"{name}: {error}") from None
