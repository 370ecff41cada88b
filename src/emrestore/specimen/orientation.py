"""How a specimen lies to the beam: along a zone axis with a small tilt, or anyhow."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from emrestore.errors import EmrestoreError


@dataclass(frozen=True)
class Ranges:
    """What orientations are drawn from.

    Attributes
    ----------
    zone_axis
        Probability that a crystal lies along a zone axis.
    axes
        Its indices [uvw], one of these.
    mistilt
        Standard deviation of the angle between zone axis and beam [degrees].
    """

    zone_axis: float
    axes: list[list[int]]
    mistilt: float


def sample(ranges: Ranges, crystalline: bool, generator: np.random.Generator) -> dict:
    """Draw an orientation: ``zone`` (a list or None), ``tilt`` and ``azimuth`` of the tilt, ``spin`` about the beam.

    All angles in degrees. Without a zone axis the direction of the beam is uniform over the sphere: that of the third
    axis of the structure is given by ``tilt`` and ``azimuth``.
    """
    u = generator.random(4)
    deviate = generator.standard_normal()
    along = crystalline and u[0] < ranges.zone_axis
    return {
        "zone": list(ranges.axes[int(u[1] * len(ranges.axes))]) if along else None,
        "tilt": float(abs(ranges.mistilt * deviate) if along else np.degrees(np.arccos(1 - 2 * u[1]))),
        "azimuth": float(360 * u[2]),
        "spin": float(360 * u[3]),
    }


def matrix(parameters: dict, cell: np.ndarray) -> np.ndarray:
    """Give the rotation (3, 3) that takes vectors of a structure to the box, whose z is the beam.

    Parameters
    ----------
    parameters
        What :func:`sample` drew.
    cell
        (3, 3) lattice vectors as rows, which zone axes refer to.
    """
    tilt = Rotation.from_rotvec(parameters["tilt"] * _in_plane(parameters["azimuth"]), degrees=True)
    spin = Rotation.from_rotvec([0, 0, parameters["spin"]], degrees=True)
    if parameters["zone"] is None:
        return (tilt * spin).as_matrix()
    axis = np.array(parameters["zone"]) @ cell
    axis = axis / np.linalg.norm(axis)
    # the shortest turn onto the beam, about the normal of both
    normal = np.cross(axis, [0, 0, 1])
    angle = np.arctan2(np.linalg.norm(normal), axis[2])
    normal = normal / np.linalg.norm(normal) if np.linalg.norm(normal) > 1e-12 else np.array([1.0, 0, 0])
    return (tilt * spin * Rotation.from_rotvec(angle * normal)).as_matrix()


def _in_plane(azimuth: float) -> np.ndarray:
    """Give the unit vector across the beam at an angle [degrees] from x."""
    return np.array([np.cos(np.radians(azimuth)), np.sin(np.radians(azimuth)), 0.0])


def check(ranges: Ranges) -> None:
    """Refuse what orients nothing.

    Raises
    ------
    EmrestoreError
        Naming the field.
    """
    if not 0 <= ranges.zone_axis <= 1:
        raise EmrestoreError(f"'zone_axis' is a probability, between 0 and 1, not {ranges.zone_axis}")
    if not ranges.axes or any(len(axis) != 3 or not any(axis) for axis in ranges.axes):
        raise EmrestoreError(f"'axes' must list directions of three indices that are not all 0, not {ranges.axes}")
    if ranges.mistilt < 0:
        raise EmrestoreError(f"'mistilt' must be 0 or more, not {ranges.mistilt}")
