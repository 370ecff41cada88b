"""Shapes of low-resolution images against closed forms: coverage of edges, areas, places and axes."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.spatial.distance import pdist

from emrestore import config
from emrestore.image import lowres
from emrestore.image.profiles import Profiles
from emrestore.rng import stream

SETTINGS = config.value(
    yaml.safe_load((Path(__file__).parents[2] / "config/config.yaml").read_text(encoding="utf-8")), "generator"
)["lowres"]
RANGES = lowres.Ranges(**SETTINGS)
CORNERS = [10.0, 120.0, 250.0, 360.0]
SHAPES = {
    "box": {"kind": "boxes", "radius": 9.0, "flatness": 0.4},
    "ellipse": {"kind": "sharp particles", "radius": 9.0, "flatness": 0.6, "corners": []},
    "polygon": {"kind": "sharp particles", "radius": 9.0, "flatness": 1.0, "corners": CORNERS},
}


def draw(shape: tuple[int, int], kind: str, **one) -> np.ndarray:
    """Draw one flat object of brightness one."""
    one = {"level": 1.0, "gradient": 0.0, "slope": 0.0} | one
    return lowres.draw(
        {"parts": [{"kind": kind, "weight": 1.0, **{key: [value] for key, value in one.items()}}]}, shape
    )


def poses(count: int):
    """Give angles [degrees] and places [px] near the middle of 48 x 48 pixels."""
    generator = stream(1, "poses")
    return zip(generator.uniform(0, 360, count), *(24 + generator.uniform(-0.5, 0.5, (2, count))), strict=True)


def covered(distance: np.ndarray, angle: float) -> np.ndarray:
    """Give the share of a unit square within a half-plane: an integral over a trapezoid, its shadow on the normal."""
    long, short = np.sort(np.abs([np.cos(np.radians(angle)), np.sin(np.radians(angle))]))[::-1]
    ends = np.array([long + short, long - short, short - long, -long - short]) / 2
    terms = np.maximum(ends - distance[..., None], 0) ** 2 / 2
    return terms @ [1, -1, -1, 1] / (long * short)


def area(name: str) -> float:
    """Give what all pixels add up to, on average over places: the mean area of the outlines at -1/2 to 1/2 px.

    At an offset t, an area A grows by its circumference times t, which averages out, and by t² Σ tan(φ/2) for outer
    angles φ of corners that stay sharp; t² averages to 1/12. The first-order distance from an ellipse scales it, along
    each direction, by 1 + t s with s² = cos²/a² + sin²/b², which adds π (a/b + b/a) / 24.
    """
    shape = SHAPES[name]
    long, short = shape["radius"], shape["radius"] * shape["flatness"]
    if name == "box":
        return 4 * long * short + 4 / 12
    if name == "ellipse":
        return np.pi * long * short + np.pi / 24 * (long / short + short / long)
    gaps = np.radians(np.diff([*CORNERS, CORNERS[0] + 360]))
    return long**2 * np.sin(gaps).sum() / 2 + np.tan((gaps + np.roll(gaps, 1)) / 4).sum() / 12


@pytest.mark.parametrize("angle", [1.0, 20.0, 45.0, 70.0, 130.0])
def test_a_straight_edge_covers_pixels_as_a_half_plane_does(angle):
    y, x = np.mgrid[:64, :64].astype(float)
    across = np.cos(np.radians(angle)) * (y - 31.2) - np.sin(np.radians(angle)) * (x - 30.7)
    image = draw((64, 64), "bands", x=30.7, y=31.2, angle=angle, width=12.4)
    # a ramp is off most for an edge at 45 degrees, there by (√2 - 1)² / 4 at 0.21 px from the edge
    assert np.abs(image - covered(np.abs(across) - 6.2, angle)).max() <= (np.sqrt(2) - 1) ** 2 / 4 + 1e-9


@pytest.mark.parametrize("name", SHAPES)
def test_pixels_add_up_to_the_area(name):
    sums = [draw((48, 48), **SHAPES[name], x=x, y=y, angle=angle).sum() for angle, x, y in poses(300)]
    assert np.mean(sums) == pytest.approx(area(name), abs=5 * np.std(sums) / np.sqrt(300))


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("name", SHAPES)
def test_half_a_pixel_moves_the_centroid_by_as_much(name, axis):
    moves = []
    for angle, *place in poses(100):
        here, there = ({"x": place[0], "y": place[1]} for _ in range(2))
        there[axis] += 0.5
        images = [draw((48, 48), **SHAPES[name], angle=angle, **where) for where in (here, there)]
        sums = [image.sum(0 if axis == "x" else 1) for image in images]
        moves.append(np.diff([one @ np.arange(48) / one.sum() for one in sums])[0])
    # along an edge at 45 degrees pixels repeat every √2 px, and a step has two that are off by up to (√2 - 1)² / 4 with
    # one sign: 0.061 px² for each px of edge. If all edges of the box are at 45 degrees and off away from its middle,
    # that is 0.061 (2 18 3.6 + 2 7.2 9) cos 45° / 130 = 0.086 px for an image and 0.17 for two. The polygon, of which
    # only two edges can be at 45 degrees at once, and the ellipse stay below.
    assert np.abs(np.array(moves) - 0.5).max() < 0.17
    assert np.mean(moves) == pytest.approx(0.5, abs=5 * np.std(moves) / 10)


def test_a_soft_particle_is_the_turned_and_stretched_profile():
    radius, stretch, angle, weights = 7.0, 1.2, 35.0, [0.6, 0.9, 0.8]
    image = draw(
        (161, 161), "soft particles", x=80.0, y=80.0, radius=radius, stretch=stretch, angle=angle, order=5.0,
        weights=weights,
    )  # fmt: skip
    one = Profiles(np.zeros(1), np.ones(1), np.array([5.0]), np.array([weights]))
    # beyond the window, at 6.9 radii, lies (1 + 6.9) exp(-6.9) = 0.8 % of the exponential, itself less than half of all
    assert image.sum() == pytest.approx(one.intensity()[0] * stretch * radius**2 / sum(weights), rel=4e-3)
    # what is brighter than a twentieth is an ellipse; pixels decide its border, some 200 of 2000, to half a pixel each
    y, x = np.mgrid[-80:81, -80:81]
    bright = image * (image > 0.05)
    along = np.cos(np.radians(angle)) * x + np.sin(np.radians(angle)) * y
    across = np.cos(np.radians(angle)) * y - np.sin(np.radians(angle)) * x
    spread = [(bright * product).sum() / bright.sum() for product in (along**2, across**2, along * across)]
    assert spread[1] / spread[0] == pytest.approx(stretch**2, rel=0.01)
    assert abs(spread[2]) < 0.01 * spread[0]


@pytest.mark.parametrize("kind", lowres.KINDS)
def test_what_was_drawn_survives_json_and_keeps_its_distances(kind):
    ranges = lowres.Ranges(**{**SETTINGS, "occurs": {other: float(other == kind) for other in lowres.KINDS}})
    for number in range(5):
        parameters = lowres.sample(ranges, (96, 128), stream(1, "json", kind, number))
        image = lowres.draw(parameters, (96, 128))
        assert np.isfinite(image).all()
        assert image.max() > image.min() == 0
        assert np.array_equal(image, lowres.draw(json.loads(json.dumps(parameters)), (96, 128)))
        part = parameters["parts"][0]
        if len(part["x"]) > 1:
            # the least spacing that is configured, for no number of objects here is too crowded for it
            assert pdist(np.stack([part["x"], part["y"]], -1)).min() >= RANGES.spacing[0]


def test_an_image_is_a_part_of_its_field():
    """Objects are spread evenly, so a frame of a ninth of the area shows the first, and a ninth of the others."""
    count, width, height, field = 50, 128, 96, 3.0
    # at a distance of one pixel they hardly push each other out of the frame
    changes = {"field": (field, field), "soft": (count, count), "spacing": (1.0, 1.0)}
    occurs = {kind: float(kind == "soft particles") for kind in lowres.KINDS}
    ranges = lowres.Ranges(**{**SETTINGS, **changes, "occurs": occurs})
    seen = []
    for number in range(400):
        part = lowres.sample(ranges, (height, width), stream(1, "field", number))["parts"][0]
        x, y = np.array(part["x"]) + 0.5, np.array(part["y"]) + 0.5
        inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
        assert inside[0]
        assert np.ptp(x) <= field * width
        assert np.max(part["radius"]) <= field * height * ranges.soft_radius[1]
        seen.append(inside[1:].sum())
    share = field**-2
    standard_error = np.sqrt((count - 1) * share * (1 - share) / len(seen))
    assert np.mean(seen) == pytest.approx((count - 1) * share, abs=5 * standard_error)
