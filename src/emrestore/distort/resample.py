"""Resampling by cubic convolution (Keys, IEEE Trans. ASSP 29, 1981, with a = -1/2), the image mirrored at its borders.

With a = -1/2 a shifted parabola is reproduced exactly and a shift has no bias; the a = -3/4 of
``torch.nn.functional.grid_sample`` misplaces slopes by up to 0.05 px, as much as what column fits are to resolve.
"""

import torch
from torch import Tensor

TAPS = (-1, 0, 1, 2)


def weights(offset: Tensor) -> list[Tensor]:
    """Give the weights of the four neighbours at -1, 0, 1 and 2 of a place at ``offset`` in [0, 1)."""
    s = offset
    return [
        s * (-0.5 + s * (1 - 0.5 * s)),
        1 + s * s * (-2.5 + 1.5 * s),
        s * (0.5 + s * (2 - 1.5 * s)),
        s * s * (-0.5 + 0.5 * s),
    ]


def mirror(index: Tensor, size: int) -> Tensor:
    """Fold indices back into [0, size), the border pixels doubled (half-sample symmetry)."""
    index = index % (2 * size)
    return torch.minimum(index, 2 * size - 1 - index)


def mirrored(image: Tensor, axis: int, reach: int) -> Tensor:
    """Extend images by ``reach`` mirrored pixels at both ends of an axis."""
    size = image.shape[axis]
    return image.index_select(axis, mirror(torch.arange(-reach, size + reach, device=image.device), size))


def shift_rows(image: Tensor, dy: Tensor, dx: Tensor) -> Tensor:
    """Give each row what lies at its own displacement: out[i, j] = image(i + dy[i], j + dx[i]).

    Parameters
    ----------
    image
        (N, 1, Y, X).
    dy, dx
        (N, Y) displacements [px].
    """
    count, _, ny, nx = image.shape
    rows = torch.arange(ny, device=image.device)
    # along y: whole rows weighed; along x: one set of weights for each row
    base = dy.floor()
    moved = torch.zeros_like(image[:, 0])
    batch = torch.arange(count, device=image.device)[:, None]
    for tap, weight in zip(TAPS, weights(dy - base), strict=True):
        moved.addcmul_(weight[..., None], image[:, 0][batch, mirror(rows + base.long() + tap, ny)])
    base = dx.floor()
    # one gather for each row's window, then four views of it
    places = torch.arange(nx + 3, device=image.device) + (base.long() + TAPS[0])[..., None]
    window = moved.gather(2, mirror(places, nx))
    out = torch.zeros_like(moved)
    for tap, weight in enumerate(weights(dx - base)):
        out.addcmul_(weight[..., None], window[..., tap : tap + nx])
    return out[:, None]


def at(image: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Evaluate images anywhere.

    Parameters
    ----------
    image
        (N, 1, Y, X).
    y, x
        (N, Y', X') coordinates [px].

    Returns
    -------
    Tensor
        (N, 1, Y', X').
    """
    count, _, ny, nx = image.shape
    flat = image.reshape(count, -1)
    base_y, base_x = y.floor(), x.floor()
    weight_x = weights(x - base_x)
    place_x = [mirror(base_x.long() + tap, nx) for tap in TAPS]
    out = torch.zeros_like(y)
    for tap, weight_y in zip(TAPS, weights(y - base_y), strict=True):
        row = mirror(base_y.long() + tap, ny) * nx
        line = torch.zeros_like(y)
        for weight, place in zip(weight_x, place_x, strict=True):
            line.addcmul_(weight, flat.gather(1, (row + place).view(count, -1)).view_as(line))
        out.addcmul_(weight_y, line)
    return out[:, None]
