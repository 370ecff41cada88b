"""Random specimens: a crystal, a glass or single atoms, cut and damaged, on a support.

Paper, "Specimen generation".
"""

from dataclasses import dataclass

import numpy as np

from emrestore import rng
from emrestore.errors import EmrestoreError
from emrestore.specimen import crystal, cuts, defects, disorder, orientation, packing, structure
from emrestore.specimen.atoms import Atoms, Unplaceable, join

KINDS = ("crystalline", "amorphous", "points")


@dataclass(frozen=True)
class SupportRanges:
    """What supports are drawn from.

    Attributes
    ----------
    occurs
        Probability of a support.
    crystalline
        Probability that it is a crystal; otherwise it is amorphous.
    thickness
        Its thickness [Å].
    """

    occurs: float
    crystalline: float
    thickness: tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """What specimens are drawn from.

    Attributes
    ----------
    pixel_size
        Edge of a pixel [Å], drawn log-uniformly.
    extension
        How far beyond the field the specimen goes on [Å].
    attempts
        How often a specimen that cannot be placed is drawn again.
    kinds
        Probabilities of ``crystalline``, ``amorphous``, ``points``.
    """

    pixel_size: tuple[float, float]
    extension: float
    attempts: int
    kinds: dict[str, float]
    crystal: crystal.Ranges
    amorphous: packing.AmorphousRanges
    points: packing.PointRanges
    orientation: orientation.Ranges
    wedge: cuts.WedgeRanges
    shapes: cuts.ShapeRanges
    defects: defects.Ranges
    disorder: disorder.Ranges
    support: SupportRanges


def sample(ranges: Ranges, shape: tuple[int, int], seed: int, *address: rng.Part) -> tuple[Atoms, dict]:
    """Draw the specimen of an image.

    Kind and pixel size are drawn once, so that what is hard to place is not rarer for it.

    Parameters
    ----------
    ranges
        What to draw from.
    shape
        (Y, X) of the image [px].
    seed, address
        Of the image; each part of the specimen has a stream below it.

    Returns
    -------
    atoms : Atoms
        x and y from the centre of pixel (0, 0), somewhat more than the field.
    parameters : dict
        All that was drawn: plain numbers, words and lists. ``redrawn`` lists why attempts failed.

    Raises
    ------
    EmrestoreError
        If no attempt could be placed.
    """
    generator = rng.stream(seed, *address, "frame")
    pixel_size = float(np.exp(generator.uniform(*np.log(ranges.pixel_size))))
    kind = str(generator.choice(KINDS, p=[ranges.kinds[name] for name in KINDS]))
    redrawn: list[str] = []
    while len(redrawn) < ranges.attempts:
        try:
            atoms, parts = _attempt(ranges, kind, shape, pixel_size, seed, *address, len(redrawn))
            return atoms, {"kind": kind, "pixel_size": pixel_size, **parts, "redrawn": redrawn}
        except Unplaceable as error:
            redrawn.append(str(error))
    raise EmrestoreError(
        f"no {kind} specimen of {rng.address(*address)} could be placed in {ranges.attempts} attempts, the last "
        f"because {redrawn[-1]}: loosen its ranges"
    )


def _attempt(ranges: Ranges, kind: str, shape, pixel_size: float, seed: int, *address: rng.Part) -> tuple[Atoms, dict]:
    """Draw a specimen and its support from the streams of one attempt."""

    def stream(part: str) -> np.random.Generator:
        return rng.stream(seed, *address, part)

    field = np.array([shape[1], shape[0], max(shape)]) * pixel_size
    box = field + np.array([2, 2, 0]) * ranges.extension
    edge = ranges.extension
    if kind == "points":
        atoms, parameters = packing.draw_points(ranges.points, box, pixel_size, stream("structure"))
    else:
        atoms, parameters = _layer(ranges, kind, box, stream)
    parameters["shape"] = cuts.sample_shape(ranges.shapes, field, box, stream("shape"))
    atoms = cuts.shape(atoms, parameters["shape"])
    atoms, parameters["defects"] = _damage(ranges, atoms, stream("defects"))
    generator = stream("disorder")
    parameters["disorder"] = disorder.sample(ranges.disorder, generator)
    atoms = disorder.apply(atoms, parameters["disorder"], ranges.disorder, generator)
    seen = (np.abs(atoms.positions[:, :2] - box[:2] / 2) < field[:2] / 2).all(1)
    if not seen.any():
        raise Unplaceable("no atom is in the field")
    layer, support = _support(ranges, box, lambda part: stream(f"support {part}"))
    # or what repeats would be in perfect order wherever a support shines through
    layer = disorder.apply(layer, parameters["disorder"], ranges.disorder, stream("support disorder"))
    atoms = join(atoms, layer)
    return Atoms(atoms.positions - [edge, edge, 0], atoms.numbers), {"specimen": parameters, "support": support}


def _layer(ranges: Ranges, kind: str, box: np.ndarray, stream) -> tuple[Atoms, dict]:
    """Fill a box with a crystal or a glass in some orientation, and cut a wedge."""
    drawn, ranges_of = (
        (crystal.sample, ranges.crystal) if kind == "crystalline" else (packing.draw_amorphous, ranges.amorphous)
    )
    solid, parameters = drawn(ranges_of, stream("structure"))
    generator = stream("orientation")
    parameters["orientation"] = orientation.sample(ranges.orientation, kind == "crystalline", generator)
    rotation = orientation.matrix(parameters["orientation"], solid.cell)
    atoms = structure.fill(solid, rotation, box, generator.random(3))
    parameters["wedge"] = cuts.sample_wedge(ranges.wedge, stream("wedge"))
    return cuts.wedge(atoms, box, parameters["wedge"]), parameters


def _damage(ranges: Ranges, atoms: Atoms, generator: np.random.Generator) -> tuple[Atoms, dict | None]:
    parameters = defects.sample(ranges.defects, generator)
    return defects.apply(atoms, parameters, generator), parameters


def _support(ranges: Ranges, box: np.ndarray, stream) -> tuple[Atoms, dict | None]:
    """Draw a support as the specimen is drawn, but for its shape; or no atoms and None."""
    generator = stream("frame")
    u = generator.random(2)
    if u[0] >= ranges.support.occurs:
        return Atoms(np.empty((0, 3)), np.empty(0, np.int16)), None
    kind = "crystalline" if u[1] < ranges.support.crystalline else "amorphous"
    thickness = float(generator.uniform(*ranges.support.thickness))
    atoms, parameters = _layer(ranges, kind, np.array([*box[:2], thickness]), stream)
    atoms, parameters["defects"] = _damage(ranges, atoms, stream("defects"))
    return atoms, {"kind": kind, "thickness": thickness, **parameters}


def check(ranges: Ranges) -> None:
    """Refuse ranges that give no specimen.

    Raises
    ------
    EmrestoreError
        Naming the section and the field.
    """
    if not 0 < ranges.pixel_size[0] <= ranges.pixel_size[1]:
        raise EmrestoreError(f"'pixel_size' must be a range above 0 Å, not {ranges.pixel_size}")
    if ranges.extension < 0 or ranges.attempts < 1:
        raise EmrestoreError("'extension' must be 0 Å or more, and 'attempts' 1 or more")
    if set(ranges.kinds) != set(KINDS) or min(ranges.kinds.values()) < 0 or abs(sum(ranges.kinds.values()) - 1) > 1e-9:
        raise EmrestoreError(f"'kinds' must give {', '.join(KINDS)} probabilities that sum to 1, not {ranges.kinds}")
    for name, test in (
        ("crystal", crystal.check),
        ("amorphous", packing.check_amorphous),
        ("points", packing.check_points),
        ("orientation", orientation.check),
        ("wedge", cuts.check_wedge),
        ("shapes", cuts.check_shapes),
        ("defects", defects.check),
        ("disorder", disorder.check),
        ("support", _check_support),
    ):
        try:
            test(getattr(ranges, name))
        except EmrestoreError as error:
            raise EmrestoreError(f"{name}: {error}") from None


def _check_support(ranges: SupportRanges) -> None:
    for name in ("occurs", "crystalline"):
        if not 0 <= getattr(ranges, name) <= 1:
            raise EmrestoreError(f"'{name}' is a probability, between 0 and 1, not {getattr(ranges, name)}")
    if not 0 < ranges.thickness[0] <= ranges.thickness[1]:
        raise EmrestoreError(f"'thickness' must be a range above 0 Å, not {ranges.thickness}")
