"""Solve many bordered block-tridiagonal systems at once.

Atomic columns touch their neighbours only. Grouped in levels (:class:`emrestore.columns.model.Layout`) their
normal matrix is block tridiagonal, and what all columns of an image share (background, width) borders it:

    [ A  B ] [ p ]   [ f ]
    [ B' C ] [ q ] = [ g ],   A = tridiagonal(lower, diagonal, lower')

so that a factorisation costs levels x (columns per level)^3 instead of (all columns)^3.
"""

import torch
from torch import Tensor


def factor(diagonal: Tensor, lower: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Factorise symmetric positive definite block-tridiagonal matrices, A = L L'.

    Parameters
    ----------
    diagonal
        (B, S, M, M) diagonal blocks; the lower triangles are read.
    lower
        (B, S, M, M) block s couples level s + 1 (rows) to level s; the last one is not read.

    Returns
    -------
    roots, links : list of Tensor
        S diagonal and S - 1 sub-diagonal blocks (B, M, M) of L. An indefinite matrix gives meaningless
        numbers, no error: the caller's accept-reject test finds out.
    """
    roots, links = [torch.linalg.cholesky_ex(diagonal[:, 0]).L], []
    for level in range(1, diagonal.shape[1]):
        links.append(torch.linalg.solve_triangular(roots[-1], lower[:, level - 1].mT, upper=False).mT)
        roots.append(torch.linalg.cholesky_ex(diagonal[:, level] - links[-1] @ links[-1].mT).L)
    return roots, links


def solve(roots: list[Tensor], links: list[Tensor], right: Tensor) -> Tensor:
    """Solve A p = right for (B, S, M, R) right-hand sides."""
    parts = []
    for level, root in enumerate(roots):
        part = right[:, level] - links[level - 1] @ parts[-1] if level else right[:, 0]
        parts.append(torch.linalg.solve_triangular(root, part, upper=False))
    for level in reversed(range(len(roots))):
        part = parts[level] - links[level].mT @ parts[level + 1] if level + 1 < len(roots) else parts[level]
        parts[level] = torch.linalg.solve_triangular(roots[level].mT, part, upper=True)
    return torch.stack(parts, dim=1)


def inverse_blocks(roots: list[Tensor], links: list[Tensor]) -> Tensor:
    """Give the diagonal blocks (B, S, M, M) of the inverse of A, from the last level to the first."""
    blocks = [torch.cholesky_inverse(roots[-1])]
    for root, link in zip(reversed(roots[:-1]), reversed(links), strict=True):
        gain = torch.linalg.solve_triangular(root.mT, link.mT, upper=True)
        blocks.append(torch.cholesky_inverse(root) + gain @ blocks[-1] @ gain.mT)
    return torch.stack(blocks[::-1], dim=1)
