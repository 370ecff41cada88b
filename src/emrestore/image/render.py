"""Clean images as sums of radial profiles (Eq. 16), to a thousandth of the peak at any pixel size.

A profile has a cusp at its centre and an edge at r_m, finer than any pixel, and a tail of many Å. So it is split, as a
particle-mesh method splits a force: out to a few steps of a coarse grid the sum is evaluated directly at the pixels,
from a table; beyond, the profile goes on inwards as an even polynomial, a smooth function that the coarse grid carries
and that one Fourier transform per element sums over all atoms.
"""

import math

import numba
import numpy as np
from scipy import fft

from emrestore.image.profiles import Profiles

#: Largest step of the coarse grid [Å], and radius of direct evaluation in steps and in r_m.
STEP = 0.35
REACH = 4.0
EDGE = 1.7
#: What is left of a profile where its tail ends, over its peak.
TAIL = 1e-4
TABLE = 1 << 12


def render(
    positions: np.ndarray, numbers: np.ndarray, profiles: Profiles, shape: tuple[int, int], pixel_size: float
) -> np.ndarray:
    """Sum the profiles of all atoms at the pixels.

    Parameters
    ----------
    positions
        (n, 2) x, y [Å], the centre of pixel (0, 0) at the origin; atoms outside the image count.
    numbers
        (n,) atomic numbers, all among those of ``profiles``.
    profiles
        Profiles of the elements.
    shape
        (Y, X) [px].
    pixel_size
        Edge of a pixel [Å].

    Returns
    -------
    ndarray
        (Y, X) float64.
    """
    kinds = np.searchsorted(profiles.numbers, numbers)
    many = pixel_size > STEP
    ratio = int(np.ceil(pixel_size / STEP)) if many else max(1, int(STEP / pixel_size))
    step = pixel_size / ratio if many else pixel_size * ratio
    reach = np.maximum(REACH * step, EDGE * profiles.radius)
    cores = _cores(profiles, reach)
    image = _far(positions, kinds, profiles, cores, reach, shape, pixel_size, step, ratio if many else 1 / ratio)
    tables = np.stack([_table(profiles, kind, cores[kind], reach[kind]) for kind in range(len(cores))])
    _near(image, positions / pixel_size, kinds, tables, reach / pixel_size)
    # where there is nothing, rounding leaves values of either sign
    return np.maximum(image, 0)


def _cores(profiles: Profiles, reach: np.ndarray) -> np.ndarray:
    """Give the even polynomials that continue each profile inwards: coefficients of x⁰, x², x⁴, x⁶ at x = r / reach.

    Value and three derivatives agree at x = 1.
    """
    x = 1 + np.array([-3, -2, -1, 0, 1, 2, 3]) * 5e-3
    values = np.stack([profiles.only(kind)(reach[kind] * x)[0] for kind in range(len(reach))])
    derivatives = np.polynomial.polynomial.polyfit(x - 1, values.T, 6)[:4] * np.array([1, 1, 2, 6])[:, None]
    powers = np.array([0, 2, 4, 6])
    system = np.stack([np.ones(4), powers, powers * (powers - 1), powers * (powers - 1) * (powers - 2)])
    return np.linalg.solve(system, derivatives).T


def _smooth(profiles: Profiles, kind: int, core: np.ndarray, reach: float, r: np.ndarray) -> np.ndarray:
    """Evaluate the smooth part of a profile."""
    square = (r / reach) ** 2
    inside = core[0] + square * (core[1] + square * (core[2] + square * core[3]))
    return np.where(r < reach, inside, profiles.only(kind)(np.maximum(r, reach))[0])


@numba.njit(cache=True, nogil=True)
def _near(image, places, kinds, tables, reach):  # pragma: no cover - compiled
    """Add what profiles have beyond their smooth parts, at the pixels within reach of each atom.

    ``places`` (n, 2) and ``reach`` (S,) in pixels; ``tables`` (S, TABLE + 2) at equal steps of r up to the reach, where
    it is zero, and one beyond.
    """
    rows, columns = image.shape
    steps = tables.shape[1] - 2
    for atom in range(len(places)):
        x, y = places[atom]
        table, radius = tables[kinds[atom]], reach[kinds[atom]]
        scale = steps / radius
        for row in range(max(0, math.ceil(y - radius)), min(rows - 1, math.floor(y + radius)) + 1):
            square = (row - y) ** 2
            width = math.sqrt(max(radius**2 - square, 0.0))
            for column in range(max(0, math.ceil(x - width)), min(columns - 1, math.floor(x + width)) + 1):
                place = math.sqrt(square + (column - x) ** 2) * scale
                step = min(int(place), steps)
                image[row, column] += table[step] + (place - step) * (table[step + 1] - table[step])


def _table(profiles: Profiles, kind: int, core: np.ndarray, reach: float) -> np.ndarray:
    """Give what a profile has beyond its smooth part at equal steps up to its reach, where nothing is left."""
    r = np.linspace(0, reach, TABLE, endpoint=False)
    return np.append(profiles.only(kind)(r)[0] - _smooth(profiles, kind, core, reach, r), [0.0, 0.0])


def _far(positions, kinds, profiles, cores, reach, shape, pixel_size, step, ratio) -> np.ndarray:
    """Sum the smooth parts over all atoms on the coarse grid, and read them off at the pixels."""
    # far enough that the periodic images of atoms do not reach the pixels
    tail = float(profiles.radius.max() * np.log(1 / TAIL))
    extent = np.array([shape[1], shape[0]]) * pixel_size
    inside = ((positions > -tail) & (positions < extent + tail)).all(1)
    positions, kinds = positions[inside], kinds[inside]
    nx, ny = (2 * fft.next_fast_len(int(np.ceil((length / 2 + tail) / step)) + 2, real=True) for length in extent)
    grid = np.zeros((len(cores), ny, nx), np.float32)
    _spread(grid, positions / step, kinds)
    spectra = fft.rfft2(grid, axes=(-2, -1))
    y, x = (np.arange(count // 2 + 1) * step for count in (ny, nx))
    r = np.sqrt(y[:, None] ** 2 + x**2)
    kernels = np.stack(
        [_smooth(profiles, kind, cores[kind], reach[kind], r) for kind in range(len(cores))], dtype=np.float32
    )
    # of an even kernel a quarter says all
    transforms = fft.dctn(kernels, type=1, axes=(-2, -1))
    total = np.empty(spectra.shape[1:], complex)
    total[: ny // 2 + 1] = np.einsum("kyx,kyx->yx", transforms, spectra[:, : ny // 2 + 1])
    total[ny // 2 + 1 :] = np.einsum("kyx,kyx->yx", transforms[:, -2:0:-1], spectra[:, ny // 2 + 1 :])
    total /= _spline(ny)[:, None] * _spline(nx)[: nx // 2 + 1]
    if ratio >= 1:
        stride = int(ratio)
        return fft.irfft2(total, s=(ny, nx))[: stride * shape[0] : stride, : stride * shape[1] : stride].copy()
    refine = round(1 / ratio)
    return _refined(total, (ny, nx), refine)[: shape[0], : shape[1]].copy()


def _refined(spectrum: np.ndarray, shape: tuple[int, int], refine: int) -> np.ndarray:
    """Evaluate a Fourier series on a grid that many times finer, along each axis."""
    if refine == 1:
        return fft.irfft2(spectrum, s=shape)
    ny, nx = shape
    half = (ny + 1) // 2
    padded = np.zeros((ny * refine, spectrum.shape[1]), complex)
    padded[:half], padded[len(padded) - (ny - half) :] = spectrum[:half], spectrum[half:]
    return fft.irfft(fft.ifft(padded, axis=0), n=nx * refine, axis=1) * refine**2


@numba.njit(cache=True, nogil=True)
def _spread(grid, places, kinds):  # pragma: no cover - compiled
    """Spread unit weights over the 4 x 4 nearest points of a periodic grid (S, Y, X) by cubic B-splines."""
    ny, nx = grid.shape[1:]
    weights = np.empty((2, 4))
    first = np.empty(2, np.int64)
    for atom in range(len(places)):
        for axis in range(2):
            first[axis] = math.floor(places[atom, axis])
            s = places[atom, axis] - first[axis]
            weights[axis, 0] = (1 - s) ** 3 / 6
            weights[axis, 1] = (3 * s**3 - 6 * s**2 + 4) / 6
            weights[axis, 2] = (3 * (1 - s) ** 3 - 6 * (1 - s) ** 2 + 4) / 6
            weights[axis, 3] = s**3 / 6
        for row in range(4):
            y = (first[1] + row - 1) % ny
            for column in range(4):
                grid[kinds[atom], y, (first[0] + column - 1) % nx] += weights[1, row] * weights[0, column]


def _spline(count: int) -> np.ndarray:
    """Transform of the cubic B-spline at the frequencies of ``count`` grid points."""
    return (2 + np.cos(2 * np.pi * np.fft.fftfreq(count))) / 3
