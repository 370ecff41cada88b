"""Cramér-Rao bounds on column parameters: the least standard deviation that an unbiased estimator can have.

For electron counts that are Poisson distributed about mu the Fisher matrix is F = sum over pixels of
(d mu / d a)(d mu / d b) / mu, and no unbiased estimator of parameter a has a variance below (F^-1)_aa (Van
Aert et al., J. Struct. Biol. 138 (2002) 21). The matrix holds all columns of the image, the background and
the width; a restoring network is not unbiased, which is why it can get below.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from emrestore.columns.fit import standard_errors
from emrestore.columns.model import REACH, evaluate, layout, render
from emrestore.errors import EmrestoreError


@dataclass
class Bounds:
    """Least standard deviations of unbiased estimates, (B, K) each, ``background`` (B,); see
    :func:`bounds`."""

    x: Tensor
    y: Tensor
    height: Tensor
    sigma: Tensor
    scs: Tensor
    background: Tensor


def bounds(
    shape: tuple[int, int],
    x: Tensor,
    y: Tensor,
    height: Tensor,
    sigma: Tensor | float,
    background: Tensor | float,
    *,
    width: str = "shared",
    free_background: bool = True,
) -> Bounds:
    """Give the Cramér-Rao bounds of all columns of an image of Poisson counts.

    Parameters
    ----------
    shape
        Y, X of the image [px].
    x, y, height
        (B, K), or (K,) for one image: positions [px] and heights [electrons per pixel].
    sigma
        Width [px]: one, (B,), or with ``width="column"`` (B, K).
    background
        [electrons per pixel], positive: one or (B,).
    width
        What is estimated along with the rest: ``"shared"`` one sigma for all columns, ``"column"`` one for
        each, ``"fixed"`` none.
    free_background
        Whether the background is estimated too, or known.

    Returns
    -------
    Bounds
        x, y, sigma [px], height, background [electrons per pixel], scs [electrons] (delta method, with the
        covariance of height and width).

    Raises
    ------
    EmrestoreError
        If the background is not positive: mu must be, everywhere.
    """
    x, y, height = (torch.as_tensor(value, dtype=torch.float64) for value in (x, y, height))
    if x.ndim == 1:
        x, y, height = x[None], y[None], height[None]
    batch = len(x)
    sigma, background = (torch.as_tensor(value, dtype=torch.float64) for value in (sigma, background))
    if (background <= 0).any():
        raise EmrestoreError("the Cramér-Rao bound needs a positive background: give a small one, 1e-9 of the height.")
    background = background.expand(batch)
    plan = layout(torch.stack([x, y], dim=-1).numpy(), 1.5 * REACH * float(sigma.max()))
    column, shared = torch.stack([height, x, y], dim=-1)[:, plan.order], background[:, None]
    if width == "column":
        column = torch.cat([column, sigma.expand(x.shape)[:, plan.order, None]], dim=-1)
    else:
        shared = torch.stack([background, sigma.expand(batch)], dim=-1)
    counts = render(column, shared, shape)
    errors = standard_errors(
        evaluate(counts, column, shared, plan, "ml"), column, shared, plan, width, not free_background
    )
    back = torch.argsort(plan.order)
    return Bounds(**{name: value if name == "background" else value[:, back] for name, value in errors.items()})
