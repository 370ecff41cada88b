"""Sums of Gaussian columns: images, gradients and normal matrices, from one-dimensional functions.

    mu(x, y) = background + sum_k H_k exp(-((x - x_k)^2 + (y - y_k)^2) / (2 sigma_k^2))

Every derivative of a column is a sum of products v(y) u(x) of the one-dimensional functions

    u0 = exp(-d^2 / 2 sigma^2),   u1 = d / sigma^2 u0,   u2 = d^2 / sigma^3 u0,   d = x - x_k

(u1 is du0/dx_k, u2 is du0/dsigma), so that images are matrix products and normal matrices need no Jacobian.
Column parameters are (B, K, 3) height, x, y or, with a width per column, (B, K, 4) height, x, y, sigma;
shared ones are (B, 2) background, sigma or (B, 1) background. The scattering cross section of a column is 2
pi sigma^2 H (Van Aert et al., Ultramicroscopy 109 (2009) 1236; De Backer et al., Ultramicroscopy 171 (2016)
104).
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree
from torch import Tensor

from emrestore.columns import chain

REACH = 8.0
"""Columns further apart than this, in sigma, are not coupled in the normal matrix: their overlap, exp(-d^2 /
4 sigma^2) times at most (d / 2 sigma)^2 from the derivatives, is then below 2e-6. Gradient and objective
never neglect anything."""

WINDOW = 6.0
"""Half-width, in sigma, of the window on which the normal matrix of a column is summed: exp(-WINDOW^2 / 2) =
2e-8."""

TERMS = {3: ((0, 0), (0, 1), (1, 0)), 4: ((0, 0), (0, 1), (1, 0), (0, 2), (2, 0))}
"""The products (order in y, order in x) that make the derivatives for 3 or 4 parameters a column."""


@dataclass(frozen=True)
class Layout:
    """Who touches whom, and where each column lies in the chain; columns are numbered in chain order.

    Attributes
    ----------
    order
        (K,) chain order as indices into the caller's columns.
    place
        (K,) index of each column in the padded chain of levels x slots.
    levels, slots
        Number of levels and of columns in the fullest one.
    partners
        (K, m) each column itself, then the columns after it that it touches; padded with itself.
    entries
        (pairs, 3) row of ``partners``, its entry, and offset of the pair's first element in chain storage, in
        units of columns: ((link x levels + level) x slots + slot of the later) x slots + slot of the earlier
        one.
    """

    order: Tensor
    place: Tensor
    levels: int
    slots: int
    partners: Tensor
    entries: Tensor


def layout(positions: np.ndarray, reach: float) -> Layout:
    """Group columns in levels such that each touches its own level and the next ones only.

    Parameters
    ----------
    positions
        (B, K, 2) x, y [px] of the columns of every image; columns touch if they do in any of the images.
    reach
        Distance [px] up to which columns touch.
    """
    count = positions.shape[1]
    if count == 1:
        zero = torch.zeros(1, dtype=torch.long)
        return Layout(zero, zero, 1, 1, zero[:, None], torch.zeros(1, 3, dtype=torch.long))
    pairs = np.unique(
        np.concatenate([cKDTree(xy).query_pairs(reach, output_type="ndarray") for xy in positions]), axis=0
    )
    graph = coo_array((np.ones(len(pairs)), pairs.T.reshape(2, -1)), shape=(count, count)).tocsr()
    # levels are distances, in steps from neighbour to neighbour, from the first row of columns of each
    # cluster
    mean = positions.mean(axis=0)
    along, across = mean[:, np.argsort(np.ptp(mean, axis=0))[::-1]].T
    _, cluster = connected_components(graph, directed=False)
    first = np.full(cluster.max() + 1, np.inf)
    np.minimum.at(first, cluster, along)
    heads = np.flatnonzero(along <= first[cluster] + reach / 4)
    level = dijkstra(graph, directed=False, indices=heads, unweighted=True, min_only=True).astype(int)
    level //= max(1, 8 // np.bincount(level).max())  # blocks of a few columns waste time on calls

    order = np.lexsort((across, level))
    level, rank = level[order], np.argsort(order)
    slot = np.arange(count) - np.searchsorted(level, level)
    slots, levels = int(slot.max()) + 1, int(level.max()) + 1
    early, late = np.sort(rank[pairs], axis=1).T.reshape(2, -1)
    early, late = np.concatenate([np.arange(count), early]), np.concatenate([np.arange(count), late])
    by_column = np.lexsort((late, early))
    early, late = early[by_column], late[by_column]
    entry = np.arange(len(early)) - np.searchsorted(early, early)
    partners = np.repeat(np.arange(count)[:, None], entry.max() + 1, axis=1)
    partners[early, entry] = late
    offset = (((level[late] - level[early]) * levels + level[early]) * slots + slot[late]) * slots + slot[early]
    entries = np.stack([early, entry, offset], axis=1)
    return Layout(
        *map(torch.as_tensor, (order, level * slots + slot)),
        levels,
        slots,
        *map(torch.as_tensor, (partners, entries)),
    )


def basis(coordinates: Tensor, centre: Tensor, sigma: Tensor, count: int) -> Tensor:
    """Evaluate the first ``count`` of u0, u1, u2: (..., X), (...), (...) -> (..., count, X)."""
    sigma = sigma[..., None]
    distance = (coordinates - centre[..., None]) / sigma
    functions = [torch.exp(-0.5 * distance**2)]
    if count > 1:
        slope = distance / sigma * functions[0]
        functions += [slope, distance * slope][: count - 1]
    return torch.stack(functions, dim=-2)


def widths(column: Tensor, shared: Tensor) -> Tensor:
    """Give sigma of every column, (B, K) [px]."""
    return column[..., 3] if column.shape[-1] == 4 else shared[:, 1:].expand(column.shape[:2])


def render(column: Tensor, shared: Tensor, shape: tuple[int, int]) -> Tensor:
    """Draw the model image mu (B, Y, X)."""
    sigma = widths(column, shared)
    v, u = (
        basis(torch.arange(length, dtype=column.dtype), column[..., 3 - axis], sigma, 1).squeeze(-2)
        for axis, length in enumerate(shape, start=1)
    )
    return torch.baddbmm(shared[:, :1, None], (column[..., :1] * v).mT, u)


@dataclass
class Normal:
    """Objective, its negative gradient and its normal (Gauss-Newton or Fisher) matrix for a batch of images.

    Attributes
    ----------
    objective
        (B,) half the sum of squared residuals, or the Poisson deviance sum(mu - n + n log(n / mu)).
    column, shared
        (B, K, P), (B, S) negative gradient.
    pairs
        (B, K, m, P, P) normal matrix between a column and its partners.
    border, corner
        (B, K, P, S), (B, S, S) normal matrix between columns and shared parameters, and among the latter.
    """

    objective: Tensor
    column: Tensor
    shared: Tensor
    pairs: Tensor
    border: Tensor
    corner: Tensor


def evaluate(images: Tensor, column: Tensor, shared: Tensor, plan: Layout, estimator: str, step: int = 1) -> Normal:
    """Evaluate objective, gradient and normal matrix.

    Parameters
    ----------
    images
        (B, Y, X) float64.
    column, shared
        Parameters, columns in the order of ``plan``.
    plan
        Layout of the columns.
    estimator
        ``"ls"``: unweighted squares; ``"ml"``: Poisson counts, weight 1 / mu (mu must be positive).
    step
        Sum the weighted normal matrix between columns over every ``step``-th pixel of either axis only.
    """
    height, parameters = column[..., 0], column.shape[-1]
    sigma = widths(column, shared)
    v, u = (
        basis(torch.arange(length, dtype=column.dtype), column[..., 3 - axis], sigma, 3)
        for axis, length in enumerate(images.shape[1:], start=1)
    )
    tall = height[..., None] * v[..., 0, :]
    mu = torch.baddbmm(shared[:, :1, None], tall.mT, u[..., 0, :])
    residual = images - mu
    if estimator == "ls":
        weight, objective = None, 0.5 * inner(residual, residual)
    else:
        weight = 1 / mu
        # n log(n / mu), zero where n is: the clamp is twice as fast as xlogy
        objective = inner(images, (images * weight).clamp(min=1e-300).log()) - residual.sum((1, 2))
        residual = residual * weight

    terms = TERMS[parameters]
    orders = parameters - 1
    y_order, x_order = torch.tensor(terms).T
    scale = torch.stack([torch.ones_like(height)] + [height] * (parameters - 1), dim=-1)

    def onto_columns(field: Tensor) -> Tensor:
        # <derivative, field> for every column: contract x by a matrix product, then y
        along = (u[..., :orders, :].flatten(1, 2) @ field.mT).unflatten(1, (-1, orders))  # (B, K, orders, Y)
        return gather_terms((v[..., :orders, :] @ along.mT)[..., y_order, x_order], -1) * scale

    gradient = [residual.sum((1, 2))]
    if weight is None:  # sums of separable functions
        border = [gather_terms(v.sum(-1)[..., y_order] * u.sum(-1)[..., x_order], -1) * scale]
        corner = [images.new_full((len(images),), images[0].numel())]
    else:
        border, corner = [onto_columns(weight)], [weight.sum((1, 2))]
    if parameters == 3:
        spread = torch.baddbmm(tall.mT @ u[..., 2, :], (height[..., None] * v[..., 2, :]).mT, u[..., 0, :])
        weighted = spread if weight is None else spread * weight
        gradient.append(inner(residual, spread))
        border.append(onto_columns(weighted))
        corner += [weighted.sum((1, 2)), inner(weighted, spread)]
    corner = torch.stack([corner[i] for i in ((0, 1, 1, 2) if parameters == 3 else (0,))], dim=-1)
    pairs = pair_blocks(column, sigma, weight, plan, images.shape[1:], step if weight is not None else 1)
    pairs = pairs * scale[:, :, None, :, None] * scale[:, plan.partners][..., None, :]
    return Normal(
        objective,
        onto_columns(residual),
        torch.stack(gradient, dim=-1),
        pairs,
        torch.stack(border, dim=-1),
        corner.unflatten(-1, (len(gradient), -1)),
    )


def inner(a: Tensor, b: Tensor) -> Tensor:
    """Give the inner product of images, (B, Y, X) -> (B,)."""
    return torch.linalg.vecdot(a.flatten(1), b.flatten(1))


def gather_terms(values: Tensor, dim: int) -> Tensor:
    """Add the two terms of the derivative to sigma: five terms make four parameters."""
    if values.shape[dim] == 3:
        return values
    rest, last = values.split([3, 2], dim=dim)
    return torch.cat([rest, last.sum(dim, keepdim=True)], dim=dim)


def pair_blocks(
    column: Tensor, sigma: Tensor, weight: Tensor | None, plan: Layout, shape: tuple[int, int], step: int
) -> Tensor:
    """Give the normal matrix between columns and partners on a window about each column, heights left out."""
    terms = TERMS[column.shape[-1]]
    orders = column.shape[-1] - 1
    reach = float(sigma.max()) * WINDOW
    weight = None if weight is None else weight[:, ::step, ::step]
    sides, corners = [], []
    for axis, length in enumerate(shape, start=1):
        centre, half = column[..., 3 - axis], int(np.ceil(reach / step))
        if (2 * half + 1) * step < length:
            side = 2 * half + 1
            corner = ((centre / step).round().long() - half).clamp(-side, (length - 1) // step)
        else:
            corner, side = torch.zeros_like(centre, dtype=torch.long), -(-length // step)
        window = (corner[..., None] + torch.arange(side)) * step
        inside = ((window >= 0) & (window < length)).to(column.dtype)[..., None, :]
        own = basis(window, centre, sigma, orders) * inside
        other = basis(window[:, :, None], centre[:, plan.partners], sigma[:, plan.partners], orders)
        sides.append((own, other))
        corners.append(corner)
    where_y, where_x = (
        torch.tensor([[a * orders + b for b in side] for a in side]) for side in zip(*terms, strict=True)
    )
    if weight is None:
        y, x = ((own[:, :, None] @ other.mT).flatten(-2) for own, other in sides)
        blocks = y[..., where_y] * x[..., where_x]
    else:
        y, x = ((own[:, :, None, :, None] * other[:, :, :, None]).flatten(3, 4) for own, other in sides)
        seen = windows(weight, *corners, y.shape[-1], x.shape[-1])
        along = (x.flatten(2, 3) @ seen.mT).view(*x.shape[:-1], -1)
        blocks = (y @ along.mT)[..., where_y, where_x] * step**2
    return gather_terms(gather_terms(blocks, -1), -2)


def windows(field: Tensor, top: Tensor, left: Tensor, rows: int, lines: int) -> Tensor:
    """Cut (B, K, rows, lines) windows; what lies outside the image is finite and of no meaning.

    All windows of the flattened stack are one strided view of it, from which entire windows are copied: ten
    times as fast as indexing by pixel.
    """
    batch, height, width = field.shape
    margin = rows * width + lines
    flat = torch.nn.functional.pad(field.flatten(), (margin, margin))
    every = flat.as_strided((flat.numel() - margin, rows, lines), (1, width, 1))
    first = (torch.arange(batch)[:, None] * height + top) * width + left + margin
    return every.index_select(0, first.flatten()).unflatten(0, first.shape)


@dataclass
class System:
    """The factorised normal matrix of a batch, scaled to a unit diagonal; ``solve`` and ``covariance`` undo
    it."""

    plan: Layout
    scale: Tensor
    shared_scale: Tensor
    roots: list[Tensor]
    links: list[Tensor]
    border: Tensor
    reduced: Tensor
    schur: Tensor

    def solve(self, column: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Solve for (B, K, P) column and (B, S) shared right-hand sides."""
        part = chain.solve(self.roots, self.links, pad(self.plan, (column * self.scale)[..., None]))
        right = shared * self.shared_scale - (self.border.mT @ part).sum(1).squeeze(-1)
        common = torch.cholesky_solve(right[..., None], self.schur)
        part = unpad(self.plan, part - self.reduced @ common[:, None], self.scale.shape[-1])
        return part.squeeze(-1) * self.scale, common.squeeze(-1) * self.shared_scale

    def covariance(self) -> tuple[Tensor, Tensor, Tensor]:
        """Give the inverse: (B, K, P, P) of each column, (B, K, P, S) column with shared, (B, S, S)
        shared."""
        parameters = self.scale.shape[-1]
        common = torch.cholesky_inverse(self.schur)
        reduced = unpad(self.plan, self.reduced, parameters)
        blocks = chain.inverse_blocks(self.roots, self.links)
        slots = self.plan.slots
        blocks = blocks.unflatten(3, (slots, parameters)).unflatten(2, (slots, parameters))
        blocks = blocks.diagonal(dim1=2, dim2=4).movedim(-1, 2).flatten(1, 2)[:, self.plan.place]
        blocks = blocks + reduced @ common[:, None] @ reduced.mT
        cross = -(reduced @ common[:, None]) * self.scale[..., None] * self.shared_scale[:, None, None]
        blocks = blocks * self.scale[..., None] * self.scale[..., None, :]
        return blocks, cross, common * self.shared_scale[..., None] * self.shared_scale[:, None]


def factorise(normal: Normal, plan: Layout, free: Tensor, shared_free: Tensor, damping: Tensor) -> System:
    """Scale, damp and factorise the normal matrix.

    Parameters
    ----------
    normal, plan
        The matrix and its layout.
    free, shared_free
        (B, K, P), (B, S) bool: parameters that take part; the others get a zero step and zero covariance.
    damping
        (B,) Levenberg-Marquardt parameter, relative to the diagonal (Marquardt's scaling).
    """
    batch, parameters = len(free), free.shape[-1]
    scale = torch.where(free, normal.pairs[:, :, 0].diagonal(dim1=-2, dim2=-1).rsqrt(), 0.0)
    shared_scale = torch.where(shared_free, normal.corner.diagonal(dim1=-2, dim2=-1).rsqrt(), 0.0)
    pairs = normal.pairs * scale[:, :, None, :, None] * scale[:, plan.partners][..., None, :]
    # element (q of the later, p of the earlier column) of every pair, to its place in (link, level, row,
    # column)
    size = plan.slots * parameters
    row, entry, offset = plan.entries.T
    block, slot = offset // plan.slots, offset % plan.slots
    ordinal = torch.arange(parameters)
    index = (block[:, None] * parameters + ordinal)[:, None, :] * size + (slot[:, None] * parameters + ordinal)[
        :, :, None
    ]
    storage = normal.pairs.new_zeros(batch, 2, plan.levels, size, size)
    storage.view(batch, -1)[:, index] = pairs[:, row, entry]
    storage[:, 0].diagonal(dim1=-2, dim2=-1)[:] = 1 + damping[:, None, None]
    roots, links = chain.factor(storage[:, 0], storage[:, 1])
    border = pad(plan, normal.border * scale[..., None] * shared_scale[:, None, None])
    corner = normal.corner * shared_scale[..., None] * shared_scale[:, None]
    corner.diagonal(dim1=-2, dim2=-1)[:] = 1 + damping[:, None]
    reduced = chain.solve(roots, links, border)
    schur = torch.linalg.cholesky_ex(corner - (border.mT @ reduced).sum(1)).L
    return System(plan, scale, shared_scale, roots, links, border, reduced, schur)


def pad(plan: Layout, values: Tensor) -> Tensor:
    """Lay (B, K, P, R) values out along the chain, (B, levels, slots x P, R)."""
    padded = values.new_zeros(len(values), plan.levels * plan.slots, *values.shape[2:])
    padded[:, plan.place] = values
    return padded.view(len(values), plan.levels, -1, values.shape[-1])


def unpad(plan: Layout, values: Tensor, parameters: int) -> Tensor:
    """Take (B, K, P, R) values back from the chain."""
    return values.reshape(len(values), plan.levels * plan.slots, parameters, -1)[:, plan.place]
