"""Multislice HAADF-STEM of specimens that are not periodic, over a field of view.

Away from the probe the wave is weak, so a probe needs only the specimen near it. The potential of the whole specimen is
made once for each phonon configuration; for each patch of probe positions a small window of it is cut out. Windows lie
on one grid of points and see the same atoms, so patches agree at their seams as far as the window suffices.

Accuracy of cross sections of columns of a Pt particle of 11 atoms across, at 80 to 160 mrad and α = 21 mrad, against
windows of 25 Å: windows of 12.6 Å and 10.5 Å 0.1 to 0.5 %, of 9.4 Å 0.4 to 0.8 %, single points 1.1, 1.5 and 2.1 % of
the peak. Not the specimen beyond the windows makes the difference but their coarser grid of frequencies, λ / window.
"""

import numpy as np
from ase import Atoms

from emrestore.errors import EmrestoreError
from emrestore.multislice import DETERMINISTIC, Settings, wavelength


def displace_thermally(atoms: Atoms, rms: float, generator: np.random.Generator) -> Atoms:
    """Draw one frozen-phonon configuration of a whole specimen: independent normal deviates, Einstein's model.

    Parameters
    ----------
    atoms
        Specimen at rest.
    rms
        Root-mean-square displacement along each axis [Å].
    generator
        Stream that the displacements are drawn from.

    Returns
    -------
    Atoms
        A displaced copy.
    """
    displaced = atoms.copy()
    displaced.positions += rms * generator.standard_normal((len(atoms), 3))
    return displaced


def detected_field(atoms: Atoms, settings: Settings, positions: np.ndarray, window: float, patch: float) -> np.ndarray:
    """Simulate the fraction of the incident beam that reaches the detector at positions over a specimen.

    See that the grid fills the detector first: ``emrestore.multislice.check(settings, window)``.

    Parameters
    ----------
    atoms
        Specimen, thermally displaced or at rest; its box is as deep as the specimen, the beam runs along +z. Along x
        and y nothing is periodic, and the box's edges do not matter.
    settings
        Optics, detector, and the grid of a window; ``phonon_rms`` is not used.
    positions
        (n, 2) probe positions as x, y [Å].
    window
        Edge of the square windows [Å].
    patch
        Edge of the patches of positions that share a window [Å]; (window - patch) / 2 is the margin around them.

    Returns
    -------
    ndarray
        (n,) float64; exactly 0 where no atom is within a patch's window.

    Raises
    ------
    EmrestoreError
        If the patches are larger than the windows.
    """
    # heavy, and not needed to check a configuration
    import abtem
    import pyfftw
    from abtem.potentials.iam import PotentialArray

    if not 0 < patch < window:
        raise EmrestoreError(f"patches of {patch:g} Å must be smaller than their windows of {window:g} Å")
    n, depth = settings.gpts, atoms.cell.lengths()[2]
    step = window / n
    n_slices = round(depth / settings.slice_thickness)
    slices = (depth / n_slices,) * n_slices
    patches, member = np.unique(np.floor(positions / patch).astype(int), axis=0, return_inverse=True)
    # windows start on points of the whole grid, with the patches in their middle to half a point
    corners = np.rint((patches * patch - (window - patch) / 2) / step).astype(int)
    first, shape = corners.min(axis=0), np.ptp(corners, axis=0) + n
    near = atoms.copy()
    near.positions[:, :2] -= first * step
    near.set_cell([*(shape * step), depth])
    near = near[((near.positions[:, :2] >= 0) & (near.positions[:, :2] < shape * step)).all(axis=1)]
    # phonons may have moved atoms of the first and the last layer out of the box, which abTEM takes to be periodic
    near.positions[:, 2] = near.positions[:, 2].clip(1e-3, depth - 1e-3)

    fractions = np.zeros(len(positions))
    pyfftw.forget_wisdom()  # plans timed earlier in this process would be used again
    with abtem.config.set(DETERMINISTIC):
        potential = abtem.Potential(near, gpts=tuple(shape), slice_thickness=slices).build(lazy=False).array
        detector = abtem.AnnularDetector(settings.detector_inner, settings.detector_outer)
        for number, corner in enumerate(corners):
            x, y = corner - first
            cut = np.ascontiguousarray(potential[:, x : x + n, y : y + n])
            inside = (near.positions[:, :2] >= (corner - first) * step) & (
                near.positions[:, :2] < (corner - first + n) * step
            )
            if not inside.all(axis=1).any():
                continue
            probe = abtem.Probe(
                energy=1e3 * settings.energy,
                semiangle_cutoff=settings.semi_angle,
                C30=settings.c30,
                defocus=settings.defocus,
            )
            window_potential = PotentialArray(cut, slice_thickness=slices, extent=window)
            probe.grid.match(window_potential)
            here = np.flatnonzero(member.ravel() == number)
            scan = abtem.CustomScan(positions[here] - corner * step)
            found = probe.scan(window_potential, scan=scan, detectors=detector, lazy=False)
            fractions[here] = np.ravel(found.array)
    return fractions


def octant(points: np.ndarray, overlap: float) -> np.ndarray:
    """Select points of one octant about the origin, 0 ≤ y ≤ x, and those up to an overlap beyond its borders.

    Parameters
    ----------
    points
        (n, 2) as x, y from the fourfold axis [Å].
    overlap
        Width of the strips beyond the mirror lines [Å]: half the distance of columns, so that a column on a mirror line
        is scanned as a whole. Of half a column, unfolded, any thermal displacement off the line would change the sum.

    Returns
    -------
    ndarray
        (n,) bool.
    """
    x, y = points.T
    return (y >= -overlap) & (y - x <= np.sqrt(2) * overlap) & (x >= -overlap)


def unfold_4mm(image: np.ndarray) -> np.ndarray:
    """Complete a square image by the symmetry 4mm about its centre: the mean over those equivalents that are known.

    A frozen-phonon configuration breaks the symmetry that its ensemble has. The result is thus an unbiased estimate of
    the ensemble's image, but the mirror images of a column share their phonon noise, which is that of one column.

    Parameters
    ----------
    image
        (..., N, N); NaN where it is not known.

    Returns
    -------
    ndarray
        (..., N, N); NaN where none of the eight is known.
    """
    turned = [image, image[..., ::-1], image[..., ::-1, :], image[..., ::-1, ::-1]]
    equivalents = np.stack([*turned, *(one.swapaxes(-1, -2) for one in turned)])
    known = np.isfinite(equivalents)
    count = known.sum(axis=0)
    total = np.where(known, equivalents, 0).sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def aliasing(settings: Settings, step: float, sigma: float) -> float:
    """Give the largest error of the image of a point that a scan step leaves, relative to its sum.

    An image has no frequencies k beyond 2 α / λ, and below them at most the transfer function of an ideal incoherent
    probe. Scanned with a step, k appears at 1/step - k too, of which the source passes exp(-2 π² σ² (1/step - k)²).

    Parameters
    ----------
    settings
        Energy and semi-angle.
    step
        Scan step [Å].
    sigma
        Standard deviation of the source along either axis [Å].

    Returns
    -------
    float
        Largest product of both, over all k.
    """
    share = np.linspace(0, 1, 201)
    transfer = 2 / np.pi * (np.arccos(share) - share * np.sqrt(1 - share**2))
    frequency = share * 2e-3 * settings.semi_angle / wavelength(settings.energy)
    return float((transfer * np.exp(-2 * (np.pi * sigma * (1 / step - frequency)) ** 2)).max())


def broaden_and_sample(
    image: np.ndarray,
    step: float,
    start: tuple[float, float],
    sigma: float,
    pixel_size: float,
    shape: tuple[int, int],
    origin: tuple[float, float],
) -> np.ndarray:
    """Convolve a scanned image with a Gaussian, the finite effective source, and evaluate it at the centres of pixels.

    The convolution's integral is a sum over scan points, wherever the pixel is: broadening and interpolation in one.
    What the scan step aliases, the source suppresses: :func:`aliasing`.

    Parameters
    ----------
    image
        (..., Y, X) detected fraction at scan points.
    step
        Scan step [Å].
    start
        x, y of the first scan point [Å].
    sigma
        Standard deviation of the source along either axis [Å]; its half width at half maximum is sigma sqrt(2 ln 2).
    pixel_size
        Edge of a pixel [Å].
    shape
        (Y', X') of the result [px].
    origin
        x, y of the centre of pixel (0, 0) [Å].

    Returns
    -------
    ndarray
        (..., Y', X'). Beyond the scanned field the detected fraction counts as 0.
    """
    matrices = []
    for length, count, first, zero in zip(image.shape[-2:], shape, start[::-1], origin[::-1], strict=True):
        distance = zero + pixel_size * np.arange(count)[:, None] - first - step * np.arange(length)
        matrices.append(step / np.sqrt(2 * np.pi) / sigma * np.exp(-((distance / sigma) ** 2) / 2))
    rows, columns = matrices
    return rows @ image @ columns.T
