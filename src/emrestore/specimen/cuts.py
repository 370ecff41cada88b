"""What is cut away from a specimen, or out of it: wedges, rods, polyhedra and half-spaces.

Each is a set of planes: an atom at r is inside a convex body if normals @ r <= offsets for all of them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from emrestore.errors import EmrestoreError
from emrestore.specimen.atoms import Atoms

KINDS = ("rod", "polyhedron", "half-space")


@dataclass(frozen=True)
class WedgeRanges:
    """What wedges are drawn from.

    Attributes
    ----------
    occurs
        Probability of a wedge; on the top, the bottom or both surfaces with equal probabilities.
    angle
        Slope of a surface [degrees].
    """

    occurs: float
    angle: tuple[float, float]


@dataclass(frozen=True)
class ShapeRanges:
    """What shapes are drawn from.

    Attributes
    ----------
    occurs
        Probability of a shape; the three kinds are equally probable.
    keep
        Probability that what is inside stays; otherwise it is removed.
    radius
        Radius of a rod or polyhedron over the longest edge of the field.
    polygon
        Vertices of a rod's cross-section.
    vertices
        Vertices of a polyhedron.
    """

    occurs: float
    keep: float
    radius: tuple[float, float]
    polygon: tuple[int, int]
    vertices: tuple[int, int]


def sample_wedge(ranges: WedgeRanges, generator: np.random.Generator) -> dict | None:
    """Draw ``top`` and ``bottom`` [degrees], zero for a level surface, and the ``azimuth`` of the slope; or None."""
    u = generator.random(3)
    angles = generator.uniform(*ranges.angle, 2)
    if u[0] >= ranges.occurs:
        return None
    side = int(3 * u[1])
    return {
        "top": float(angles[0] if side != 1 else 0),
        "bottom": float(angles[1] if side != 0 else 0),
        "azimuth": float(360 * u[2]),
    }


def wedge(atoms: Atoms, box: np.ndarray, parameters: dict | None) -> Atoms:
    """Cut slopes: at one end of the box the specimen has its full thickness."""
    if parameters is None:
        return atoms
    azimuth = np.radians(parameters["azimuth"])
    across = np.array([np.cos(azimuth), np.sin(azimuth)])
    x, y, z = atoms.positions.T
    way = across[0] * x + across[1] * y - np.minimum(across * box[:2], 0).sum()
    top, bottom = (np.tan(np.radians(parameters[side])) for side in ("top", "bottom"))
    return atoms.keep((z <= box[2] - top * way) & (z >= bottom * way))


def sample_shape(
    ranges: ShapeRanges, field: np.ndarray, box: np.ndarray, generator: np.random.Generator
) -> dict | None:
    """Draw a shape: its ``kind``, whether to ``keep`` what is inside, and its planes; or None.

    Parameters
    ----------
    ranges
        What to draw from.
    field
        (3,) edges of what the image shows [Å], which sizes refer to.
    box
        (3,) edges of what the specimen fills [Å], which hold the shape's centre.
    generator
        Stream.

    Returns
    -------
    dict
        With ``radius`` [Å] (not of half-spaces), ``centre`` [Å], ``normals`` and ``offsets`` [Å] from the centre.
    """
    u = generator.random(4)
    if u[0] >= ranges.occurs:
        return None
    kind = KINDS[int(3 * u[1])]
    centre = generator.random(3) * box
    radius = float(generator.uniform(*ranges.radius) * field.max())
    turn = Rotation.random(rng=generator)
    if kind == "half-space":
        normals, offsets = np.array([[np.cos(2 * np.pi * u[3]), np.sin(2 * np.pi * u[3]), 0]]), np.zeros(1)
    elif kind == "rod":
        count = int(generator.integers(*ranges.polygon, endpoint=True))
        angles = np.sort(generator.uniform(0, 2 * np.pi, count))
        next_angles = np.append(angles[1:], angles[0] + 2 * np.pi)
        middle, half = (angles + next_angles) / 2, (next_angles - angles) / 2
        normals = np.stack([np.cos(middle), np.sin(middle), np.zeros(count)], -1) @ turn.as_matrix().T
        offsets = radius * np.cos(half)
    else:
        count = int(generator.integers(*ranges.vertices, endpoint=True))
        points = generator.standard_normal((count, 3))
        hull = ConvexHull(radius * points / np.linalg.norm(points, axis=1, keepdims=True))
        normals, offsets = hull.equations[:, :3], -hull.equations[:, 3]
    return {
        "kind": kind,
        "keep": bool(u[2] < ranges.keep),
        "radius": None if kind == "half-space" else radius,
        "centre": centre.tolist(),
        "normals": normals.tolist(),
        "offsets": offsets.tolist(),
    }


def inside(positions: np.ndarray, parameters: dict) -> np.ndarray:
    """Tell which positions (n, 3) lie in a shape."""
    within = np.ones(len(positions), bool)
    positions = positions - np.array(parameters["centre"])
    if parameters["radius"] is not None and parameters["kind"] == "polyhedron":
        within = (positions**2).sum(1) <= parameters["radius"] ** 2
    chosen = np.flatnonzero(within)
    for normal, offset in zip(parameters["normals"], parameters["offsets"], strict=True):
        chosen = chosen[positions[chosen] @ np.array(normal) <= offset]
    within[:] = False
    within[chosen] = True
    return within


def shape(atoms: Atoms, parameters: dict | None) -> Atoms:
    """Keep or remove what lies in a shape."""
    return atoms if parameters is None else atoms.keep(inside(atoms.positions, parameters) == parameters["keep"])


def check_wedge(ranges: WedgeRanges) -> None:
    """Refuse ranges that cut no wedge.

    Raises
    ------
    EmrestoreError
        Naming the field.
    """
    if not 0 <= ranges.occurs <= 1:
        raise EmrestoreError(f"'occurs' is a probability, between 0 and 1, not {ranges.occurs}")
    if not 0 <= ranges.angle[0] <= ranges.angle[1] < 90:
        raise EmrestoreError(f"'angle' must be a range within 0 to 90 degrees, not {ranges.angle}")


def check_shapes(ranges: ShapeRanges) -> None:
    """Refuse ranges that give no shape.

    Raises
    ------
    EmrestoreError
        Naming the field.
    """
    for name in ("occurs", "keep"):
        if not 0 <= getattr(ranges, name) <= 1:
            raise EmrestoreError(f"'{name}' is a probability, between 0 and 1, not {getattr(ranges, name)}")
    if not 0 < ranges.radius[0] <= ranges.radius[1]:
        raise EmrestoreError(f"'radius' must be a range above 0, not {ranges.radius}")
    for name, least in (("polygon", 3), ("vertices", 4)):
        low, high = getattr(ranges, name)
        if not least <= low <= high:
            raise EmrestoreError(f"'{name}' must be a range from {least} on, not {low} to {high}")
