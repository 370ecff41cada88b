"""Clean images of what is larger than atoms: particles, grains, bands, boxes and cracks (paper, low-resolution images).

Lengths are in pixels, or in shares of the shorter side of a field of which the image is a part. An edge is a ramp one
pixel wide across the outline, so that the brightness of a pixel is the share of it that is covered.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from emrestore.errors import EmrestoreError
from emrestore.image.profiles import Profiles
from emrestore.specimen.packing import scatter

KINDS = ("soft particles", "sharp particles", "grains", "bands", "boxes", "cracks")
#: Share of the area that points with discs about them may fill; when put at random they jam at 0.547.
DENSEST = 0.4
#: Fields of :class:`Ranges` that count.
WHOLE = ("soft", "sharp", "grains", "bands", "boxes", "cracks", "vertices", "crack_segments")
#: What is left of a soft particle where its tail ends, over its peak.
TAIL = 1e-3


@dataclass(frozen=True)
class Ranges:
    """What low-resolution images are drawn from.

    Attributes
    ----------
    occurs
        Probability of each kind; if none occurs, one does, equally probable.
    weight
        Brightness of a kind over the brightest.
    level, gradient
        Brightness of one object over its kind's brightest, and change across it over its level.
    field
        Side of the field over which the objects of a kind are spread, over the image's, which is a part of it. What is
        given as a share of the image's shorter side is one of the field's; widths in pixels are as they are.
    spacing
        Smallest distance between objects [px].
    soft, sharp, grains, bands, boxes, cracks
        How many.
    soft_radius, sharp_radius, box_side, band_width, crack_length
        Sizes over the field's shorter side.
    stretch
        Ratio of a soft particle's radii.
    order, weights
        n, and h1 to h3, of Eq. 17.
    polygon
        Probability that a sharp particle is a polygon; otherwise it is an ellipse.
    vertices
        Of polygons.
    flatness
        Ratio of an ellipse's axes, and of a box's sides.
    borders
        Probability that grains have borders.
    border_level
        Their brightness over the grains' mean.
    border_width, crack_width
        Widths [px].
    crack_segments
        Straight pieces of a crack.
    crack_bend
        Standard deviation of the angle between two of them [degrees].
    """

    occurs: dict[str, float]
    weight: tuple[float, float]
    level: tuple[float, float]
    gradient: tuple[float, float]
    field: tuple[float, float]
    spacing: tuple[float, float]
    soft: tuple[int, int]
    soft_radius: tuple[float, float]
    stretch: tuple[float, float]
    order: tuple[float, float]
    weights: tuple[float, float]
    sharp: tuple[int, int]
    sharp_radius: tuple[float, float]
    polygon: float
    vertices: tuple[int, int]
    flatness: tuple[float, float]
    grains: tuple[int, int]
    borders: float
    border_level: tuple[float, float]
    border_width: tuple[float, float]
    bands: tuple[int, int]
    band_width: tuple[float, float]
    boxes: tuple[int, int]
    box_side: tuple[float, float]
    cracks: tuple[int, int]
    crack_length: tuple[float, float]
    crack_width: tuple[float, float]
    crack_segments: tuple[int, int]
    crack_bend: float


def sample(ranges: Ranges, shape: tuple[int, int], generator: np.random.Generator) -> dict:
    """Draw the objects of an image.

    Parameters
    ----------
    ranges
        What to draw from.
    shape
        (Y, X) of the image [px].
    generator
        Stream.

    Returns
    -------
    dict
        ``parts``: for each kind that occurs ``kind``, ``weight`` and lists with one entry for each object.
    """
    chosen = [kind for kind, u in zip(KINDS, generator.random(len(KINDS)), strict=True) if u < ranges.occurs[kind]]
    chosen = chosen or [str(generator.choice(KINDS))]
    return {"parts": [_sample(ranges, kind, shape, generator) for kind in chosen]}


def _sample(ranges: Ranges, kind: str, shape: tuple[int, int], generator: np.random.Generator) -> dict:
    """Draw the objects of one kind."""
    draw, frame = generator.uniform, np.array([shape[1], shape[0]], float)
    box = frame * _log(ranges.field, 1, generator)
    side = box.min()
    limits = {"soft particles": ranges.soft, "sharp particles": ranges.sharp}.get(kind) or getattr(ranges, kind)
    count = int(generator.integers(*limits, endpoint=True))
    crowded = np.sqrt(4 * DENSEST * box.prod() / (np.pi * count))
    distance = min(draw(*ranges.spacing), crowded)
    places = scatter(count, box, distance, generator)
    # any part of the field that has the first object in it; pixel centres are whole numbers, so that the image's corner
    # lies half a pixel before zero
    shown = np.maximum(places[0] - frame, 0), np.minimum(places[0], box - frame)
    x, y = (places - draw(*shown)).T - 0.5
    part = {"kind": kind, "weight": draw(*ranges.weight), "x": x, "y": y}
    part |= {"level": draw(*ranges.level, count), "gradient": draw(*ranges.gradient, count)}
    part |= {"slope": draw(0, 360, count), "angle": draw(0, 360, count)}
    if kind == "soft particles":
        part["radius"] = side * _log(ranges.soft_radius, count, generator)
        part["stretch"] = draw(*ranges.stretch, count)
        part["order"] = draw(*ranges.order, count)
        part["weights"] = draw(*ranges.weights, (count, 3))
    elif kind == "sharp particles":
        part["radius"] = side * _log(ranges.sharp_radius, count, generator)
        part["flatness"] = draw(*ranges.flatness, count)
        polygon = generator.random(count) < ranges.polygon
        vertices = generator.integers(*ranges.vertices, count, endpoint=True)
        part["corners"] = [
            _corners(number, generator) if chosen else [] for number, chosen in zip(vertices, polygon, strict=True)
        ]
    elif kind == "grains":
        borders = generator.random() < ranges.borders
        part["border_level"] = draw(*ranges.border_level) if borders else None
        part["border_width"] = draw(*ranges.border_width)
    elif kind == "bands":
        part["angle"] = np.full(count, draw(0, 360))
        part["width"] = side * _log(ranges.band_width, count, generator)
    elif kind == "boxes":
        part["radius"] = side * _log(ranges.box_side, count, generator) / 2
        part["flatness"] = draw(*ranges.flatness, count)
    else:
        segments = generator.integers(*ranges.crack_segments, count, endpoint=True)
        lengths = side * draw(*ranges.crack_length, count)
        part["width"] = draw(*ranges.crack_width, count)
        part["path"] = [
            _path(start, angle, length, number, ranges.crack_bend, generator)
            for start, angle, length, number in zip(np.stack([x, y], -1), part["angle"], lengths, segments, strict=True)
        ]
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in part.items()}


def _log(limits: tuple[float, float], count: int, generator: np.random.Generator) -> np.ndarray:
    return np.exp(generator.uniform(*np.log(limits), count))


def _corners(count: int, generator: np.random.Generator) -> list[float]:
    """Draw angles of vertices on a circle [degrees], no gap between them less than a third of another."""
    gaps = 0.5 + generator.random(count)
    return (360 * np.cumsum(gaps / gaps.sum())).tolist()


def _path(start: np.ndarray, angle: float, length: float, count: int, bend: float, generator) -> list[list[float]]:
    """Draw the corners of a crack."""
    angles = np.radians(angle + np.cumsum(bend * generator.standard_normal(count)))
    steps = length / count * np.stack([np.cos(angles), np.sin(angles)], -1)
    path = start + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, 0)])
    return (path + start - path[len(path) // 2]).tolist()


def draw(parameters: dict, shape: tuple[int, int]) -> np.ndarray:
    """Superpose all objects; cracks are dark.

    Parameters
    ----------
    parameters
        What :func:`sample` drew.
    shape
        (Y, X) [px].

    Returns
    -------
    ndarray
        (Y, X) float64 with a minimum of zero.
    """
    image = np.zeros(shape)
    for part in parameters["parts"]:
        layer = np.zeros(shape)
        _DRAW[part["kind"]](layer, part)
        sign = -1 if part["kind"] == "cracks" else 1
        image += sign * part["weight"] * layer / layer.max()
    return image - image.min()


def _window(layer: np.ndarray, x: float, y: float, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the part of an image within reach of a place, and its pixels' coordinates from there."""
    top, left = max(0, int(np.floor(y - reach))), max(0, int(np.floor(x - reach)))
    view = layer[top : max(top, int(np.ceil(y + reach)) + 1), left : max(left, int(np.ceil(x + reach)) + 1)]
    return view, np.arange(left, left + view.shape[1]) - x, np.arange(top, top + view.shape[0])[:, None] - y


def _turned(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Give coordinates along and across a direction [degrees]."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return cos * x + sin * y, cos * y - sin * x


def _plane(part: dict, number: int, x: np.ndarray, y: np.ndarray, reach: float) -> np.ndarray:
    """Give a positive plane that changes by its gradient over an object's extent."""
    along, _ = _turned(x, y, part["slope"][number])
    return part["level"][number] * (1 + part["gradient"][number] * np.clip(along / (2 * reach), -0.5, 0.5))


def _cover(distance: np.ndarray) -> np.ndarray:
    """Give the share of a pixel inside an outline, from the signed distance of its centre [px]."""
    return np.clip(0.5 - distance, 0, 1)


def _strip(across: np.ndarray, width: float) -> np.ndarray:
    """Give the share of a pixel inside a strip, which is at most its width, from the distance to its middle [px]."""
    return np.clip(0.5 + width / 2 - np.abs(across), 0, min(1, width))


def _soft(layer: np.ndarray, part: dict) -> None:
    for number, (x0, y0) in enumerate(zip(part["x"], part["y"], strict=True)):
        radius, stretch = part["radius"][number], part["stretch"][number]
        one = Profiles(np.zeros(1), np.ones(1), np.array([part["order"][number]]), np.array([part["weights"][number]]))
        view, x, y = _window(layer, x0, y0, radius * max(1, stretch) * np.log(1 / TAIL))
        u, v = _turned(x, y, part["angle"][number])
        view += part["level"][number] * one(np.hypot(u / radius, v / (stretch * radius)))[0]


def _sharp(layer: np.ndarray, part: dict) -> None:
    for number, (x0, y0) in enumerate(zip(part["x"], part["y"], strict=True)):
        radius = part["radius"][number]
        view, x, y = _window(layer, x0, y0, radius + 1)
        u, v = _turned(x, y, part["angle"][number])
        corners = np.array(part["corners"][number])
        distance = _polygon(u, v, radius, corners) if len(corners) else _ellipse(u, v, radius, part["flatness"][number])
        view += _cover(distance) * _plane(part, number, x, y, radius)


def _polygon(u: np.ndarray, v: np.ndarray, radius: float, corners: np.ndarray) -> np.ndarray:
    """Give the signed distance from a polygon whose corners lie on a circle, at these angles [degrees]."""
    ends = np.append(corners, corners[0] + 360)
    middle, half = np.radians(ends[1:] + ends[:-1]) / 2, np.radians(np.diff(ends)) / 2
    sides = np.cos(middle)[:, None, None] * u + np.sin(middle)[:, None, None] * v
    return (sides - (radius * np.cos(half))[:, None, None]).max(0)


def _ellipse(u: np.ndarray, v: np.ndarray, radius: float, flatness: float) -> np.ndarray:
    """Give the signed distance from an ellipse, exact to first order at its outline."""
    a, b = radius, flatness * radius
    level = np.hypot(u / a, v / b)
    steepness = np.hypot(u / a**2, v / b**2) / np.maximum(level, 1e-12)
    return (level - 1) / np.maximum(steepness, 1e-12)


def _grains(layer: np.ndarray, part: dict) -> None:
    seeds = np.stack([part["x"], part["y"]], -1)
    y, x = np.mgrid[: layer.shape[0], : layer.shape[1]].astype(float)
    distance, cell = cKDTree(seeds).query(np.stack([x, y], -1), k=2)
    between = np.linalg.norm(seeds[cell[..., 0]] - seeds[cell[..., 1]], axis=-1)
    # how far the border to the second nearest seed is
    inside = (distance[..., 1] ** 2 - distance[..., 0] ** 2) / (2 * between)
    level, gradient, slope = (np.array(part[name]) for name in ("level", "gradient", "slope"))
    # twice the way from a seed to its cell's farthest pixel, so that planes stay planes over their cells
    extent = np.ones(len(seeds))
    np.maximum.at(extent, cell[..., 0], 2 * distance[..., 0])

    def plane(which: np.ndarray) -> np.ndarray:
        along, _ = _turned(x - seeds[which, 0], y - seeds[which, 1], slope[which])
        return level[which] * (1 + gradient[which] * np.clip(along / extent[which], -0.5, 0.5))

    share = _cover(-inside)
    layer += share * plane(cell[..., 0]) + (1 - share) * plane(cell[..., 1])
    if part["border_level"] is not None:
        border = _cover(inside - part["border_width"] / 2)
        layer += border * (part["border_level"] * layer.mean() - layer)


def _bands(layer: np.ndarray, part: dict) -> None:
    y, x = np.mgrid[: layer.shape[0], : layer.shape[1]].astype(float)
    for number, (x0, y0) in enumerate(zip(part["x"], part["y"], strict=True)):
        _, across = _turned(x - x0, y - y0, part["angle"][number])
        plane = _plane(part, number, x - x0, y - y0, max(layer.shape) / 2)
        layer += _strip(across, part["width"][number]) * plane


def _boxes(layer: np.ndarray, part: dict) -> None:
    for number, (x0, y0) in enumerate(zip(part["x"], part["y"], strict=True)):
        long = part["radius"][number]
        short = long * part["flatness"][number]
        view, x, y = _window(layer, x0, y0, np.hypot(long, short) + 1)
        u, v = _turned(x, y, part["angle"][number])
        view += _cover(np.maximum(np.abs(u) - long, np.abs(v) - short)) * _plane(part, number, x, y, long)


def _cracks(layer: np.ndarray, part: dict) -> None:
    for number, path in enumerate(part["path"]):
        crack = np.zeros_like(layer)
        corners = np.array(path)
        # from nothing at both ends to the full width in the middle
        widths = part["width"][number] * np.sin(np.pi * (np.arange(len(path) - 1) + 0.5) / (len(path) - 1))
        for first, last, width in zip(corners[:-1], corners[1:], widths, strict=True):
            middle, step = (first + last) / 2, last - first
            length = np.hypot(*step)
            view, x, y = _window(crack, *middle, length / 2 + width + 1)
            u, v = _turned(x, y, np.degrees(np.arctan2(step[1], step[0])))
            np.maximum(view, _strip(np.hypot(np.maximum(np.abs(u) - length / 2, 0), v), width), out=view)
        layer += part["level"][number] * crack


_DRAW = dict(zip(KINDS, (_soft, _sharp, _grains, _bands, _boxes, _cracks), strict=True))


def check(ranges: Ranges) -> None:
    """Refuse ranges that give no image.

    Raises
    ------
    EmrestoreError
        Naming the field.
    """
    if set(ranges.occurs) != set(KINDS) or not all(0 <= share <= 1 for share in ranges.occurs.values()):
        raise EmrestoreError(f"'occurs' must give {', '.join(KINDS)} a probability each, not {ranges.occurs}")
    for name in ("polygon", "borders"):
        if not 0 <= getattr(ranges, name) <= 1:
            raise EmrestoreError(f"'{name}' is a probability, between 0 and 1, not {getattr(ranges, name)}")
    least = dict.fromkeys(WHOLE, 1) | {"order": 1, "vertices": 3, "grains": 2, "gradient": 0, "field": 1}
    for name, limits in vars(ranges).items():
        if isinstance(limits, dict | float | int):
            continue
        low, high = limits
        if name in least and not (least[name] <= low <= high):
            raise EmrestoreError(f"'{name}' must be a range from {least[name]} on, not {low} to {high}")
        if name in WHOLE and not (isinstance(low, int) and isinstance(high, int)):
            raise EmrestoreError(f"'{name}' must be a range of whole numbers, not {low} to {high}")
        if name not in least and not 0 < low <= high:
            raise EmrestoreError(f"'{name}' must be a range above 0, not {low} to {high}")
    if ranges.crack_bend < 0:
        raise EmrestoreError(f"'crack_bend' must be 0 degrees or more, not {ranges.crack_bend}")
    if ranges.flatness[1] > 1:
        raise EmrestoreError(f"'flatness' is the shorter over the longer axis, at most 1, not {ranges.flatness[1]}")
    if ranges.gradient[1] > 2:
        raise EmrestoreError(f"'gradient' must stay at 2 or less, for planes to be positive, not {ranges.gradient[1]}")
