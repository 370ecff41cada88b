"""Annotations: text and shapes drawn over the saved image, the same in the clean one, for restoration to keep."""

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene

KINDS = ("text", "ellipse", "rectangle", "arrow")
GLYPHS = "0123456789.,-+/=()ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzµÅ°%"
LETTERS = 12
#: Height of a line in the glyphs' atlas [px].
LINE = 64


@dataclass(frozen=True)
class Annotations:
    """Text, ellipses, rectangles and arrows with smooth edges.

    Attributes
    ----------
    count
        Least and greatest number of items.
    kinds
        Weights of ``text``, ``ellipse``, ``rectangle``, ``arrow``.
    size
        Height of a line of text, or half the length of a shape, over the image's shorter side.
    thickness
        Thickness of lines [px].
    filled
        Probability that an ellipse or rectangle is filled.
    angle
        Angle of shapes to the fast axis [degrees]; text is level.
    extreme
        Probability that an item is black or white (zero or the greatest clean intensity), otherwise uniform between.
    """

    count: tuple[int, int]
    kinds: dict[str, float]
    size: Range
    thickness: Range
    filled: float
    angle: Range
    extreme: float

    stage: ClassVar[str] = "processing"
    both: ClassVar[bool] = True

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``kind`` (-1: none), ``y``, ``x``, ``length``, ``width``, ``thickness`` [px], ``filled``, ``angle``

        [rad] and ``level``, (N, K) each, and ``glyphs`` (N, K, letters), -1 after the last.
        """
        ny, nx = scene.shape
        most = self.count[1]

        def draw(name: str, bounds: Range) -> Tensor:
            return noise.between(noise.subkeys(keys, name), bounds, most)

        exists = torch.arange(most, device=keys.device) < noise.whole(noise.subkeys(keys, "count"), self.count)[:, None]
        kind = noise.choice(noise.subkeys(keys, "kind"), [self.kinds[kind] for kind in KINDS], most)
        length = min(ny, nx) * draw("size", self.size)
        grey = draw("level", (0, 1))
        extreme = draw("extreme", (0, 1)) < self.extreme
        letters = noise.whole(noise.subkeys(keys, "letters"), (1, LETTERS), most)[..., None]
        glyphs = noise.whole(noise.subkeys(keys, "glyphs"), (0, len(GLYPHS) - 1), most, LETTERS)
        return {
            "kind": torch.where(exists, kind, -1),
            "y": draw("y", (0, ny - 1)),
            "x": draw("x", (0, nx - 1)),
            "length": length,
            "width": length * draw("aspect", (0.3, 1)),
            "thickness": draw("thickness", self.thickness),
            "filled": draw("filled", (0, 1)) < self.filled,
            "angle": draw("angle", self.angle) * (math.pi / 180),
            "level": torch.where(extreme, grey.round(), grey) * scene.maximum[:, None],
            "glyphs": torch.where(torch.arange(LETTERS, device=keys.device) < letters, glyphs, -1),
        }

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Paint the items one over the other; a pixel is covered by 1/2 less its distance to the edge."""
        for item in range(parameters["kind"].shape[1]):
            one = {name: values[:, item] for name, values in parameters.items()}
            coverage = (0.5 - _distance(one, image.shape[-2:])).clamp(0, 1)[:, None]
            image = image + coverage * (one["level"].view(-1, 1, 1, 1) - image)
        return image


def _distance(item: Parameters, shape: tuple[int, int]) -> Tensor:
    """Give each pixel's signed distance to the edge of an item, negative inside, (N, Y, X) [px]."""
    kind, length, width, thickness, angle, filled, y, x = (
        item[name].view(-1, 1, 1) for name in ("kind", "length", "width", "thickness", "angle", "filled", "y", "x")
    )
    y = torch.arange(shape[0], device=y.device)[:, None] - y
    x = torch.arange(shape[1], device=x.device) - x
    along, across = x * angle.cos() + y * angle.sin(), (y * angle.cos() - x * angle.sin()).abs()
    radius = torch.sqrt((along / length) ** 2 + (across / width) ** 2)
    ellipse = (radius - 1) * torch.minimum(length, width)
    rectangle = torch.maximum(along.abs() - length, across - width)
    head = torch.minimum(length, 3 * thickness + 2)
    shaft = torch.maximum(across - thickness / 2, (along + head / 2).abs() - (length - head / 2))
    tip = torch.maximum(across - (length - along) / 2, length - head - along)
    closed = torch.where(kind == KINDS.index("ellipse"), ellipse, rectangle)
    distance = torch.where(filled, closed, closed.abs() - thickness / 2)
    distance = torch.where(kind == KINDS.index("arrow"), torch.minimum(shaft, tip), distance)
    text = kind[:, 0, 0] == KINDS.index("text")
    if text.any():
        distance[text] = _text(item["glyphs"][text], length[text], y[text], x[text])
    return torch.where(kind < 0, torch.inf, distance)


def _text(glyphs: Tensor, height: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Give the distance to letters, level and starting at (0, 0), from an atlas of distances."""
    atlas = _atlas().to(y.device)
    pace = atlas.shape[2] / LINE * height
    place = x / pace
    letter = place.floor().long()
    inside = (letter >= 0) & (letter < LETTERS) & (y >= 0) & (y < height)
    number = glyphs.gather(1, letter.clamp(0, LETTERS - 1)[:, 0])[:, None]
    row = (y / height * LINE - 0.5).clamp(0, LINE - 1.001)
    column = ((place - place.floor()) * atlas.shape[2] - 0.5).clamp(0, atlas.shape[2] - 1.001)
    top, left = row.floor().long(), column.floor().long()
    lower, right = row - top, column - left
    top, left, number = torch.broadcast_tensors(top, left, number)
    known = number.clamp(min=0)
    upper_line = atlas[known, top, left] * (1 - right) + atlas[known, top, left + 1] * right
    lower_line = atlas[known, top + 1, left] * (1 - right) + atlas[known, top + 1, left + 1] * right
    distance = (upper_line * (1 - lower) + lower_line * lower) * (height / LINE)
    return torch.where(inside & (number >= 0), distance, torch.inf)


@functools.cache
def _atlas() -> Tensor:
    """Draw the letters of matplotlib's monospaced font and give distances to their edges, (glyphs, LINE, width)."""
    import matplotlib as mpl
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont
    from scipy.ndimage import distance_transform_edt

    font = ImageFont.truetype(Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSansMono.ttf", round(0.8 * LINE))
    width = round(font.getlength("M"))
    distances = []
    for glyph in GLYPHS:
        canvas = Image.new("L", (width, LINE))
        ImageDraw.Draw(canvas).text((0, 0), glyph, fill=255, font=font)
        ink = np.asarray(canvas) > 127
        distances.append(distance_transform_edt(~ink) - distance_transform_edt(ink))
    return torch.from_numpy(np.stack(distances)).float()
