"""The best classical filter: BM3D between a variance-stabilising transform and its exact unbiased inverse.

Shot noise grows with the signal; BM3D wants noise of one variance. The generalised Anscombe transform (Murtagh et al.
1995, with the gain as a unit) gives that, and BM3D (Dabov et al. 2007) filters the transformed image. The algebraic
inverse would turn an unbiased mean of the transformed image into a biased mean of the image, by 18 % at one count; the
exact unbiased inverse (Mäkitalo and Foi 2011, 2013) maps the mean of the transform back to the mean that it came from.

The sigma rule. BM3D has to be told the standard deviation of the noise. It is told **the larger of 1 and what the
image shows**: 1 is the theory of the transform, and :func:`estimate_sigma` reads from the finest diagonal band what
noise is there that the gain does not describe. The estimate alone is too low below one count a pixel, where the
transform leaves less noise between columns than on them. Measured on Poisson lattices (96 x 96 px, pitch 6 to 19.6
px, three draws each), the estimate alone changes PSNR against 1 by -21 dB at a mean of 0.02 counts a pixel (it is 0
there), -5 to -6 dB at 0.1, -3 to +1 dB at 0.5, -0.5 to -0.3 dB at 2 and -0.3 to +0.7 dB from 10 to 1000. The best of
a few multiples of sigma, which only the truth tells, is another 2 to 4 dB above either from 100 counts on, where a
perfect lattice stands any smoothing. A gain over BM3D says little without its rule.

The package ``bm3d`` is the authors' own implementation, licensed for non-commercial use only, and therefore an
optional extra: ``pip install emrestore[bm3d]``.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaln, xlogy

from emrestore.errors import EmrestoreError
from emrestore.restore import Progress

#: Mean [gain units] from which on the inverse is its expansion; the two differ by 2e-6 counts here (2e-4 with
#: a readout noise of 5).
MANY = 100.0
#: Shortest edge [px] that BM3D is given: smaller images are mirrored up to it (the package reads beyond 8 x 8 ones).
EDGE = 16


@dataclass(frozen=True)
class Bm3d:
    """BM3D for images whose variance is ``gain`` x mean + ``readout``², in the unit of the image.

    The variance of Poisson counts is their mean: ``gain`` 1, ``readout`` 0. A photomultiplier whose pulses have the
    relative width w gives n electrons a variance of n (1 + w²) about the incident mean, in electrons: gain 1 + w², its
    excess factor (:mod:`emrestore.distort.photomultiplier`). An image in another unit, say a x electrons, has a x that
    gain.

    The result cannot be negative: the inverse gives means. A constant image is returned as it is. Noise correlated
    along x (fast scan) is taken for white, as in the usual use of BM3D.

    Attributes
    ----------
    gain
        Variance over mean [image units].
    readout
        Standard deviation of signal-independent noise [image units].
    sigma
        Standard deviation of the stabilised noise that BM3D is told; None: by the sigma rule above.
    """

    gain: float = 1.0
    readout: float = 0.0
    sigma: float | None = None

    def __post_init__(self):
        if not (0 < self.gain < np.inf and 0 <= self.readout < np.inf):
            raise EmrestoreError(
                f"gain must be positive and readout noise not negative, not {self.gain} and {self.readout}"
            )
        if self.sigma is not None and not 0 < self.sigma < np.inf:
            raise EmrestoreError(f"the sigma of the stabilised noise must be positive, not {self.sigma}")

    @property
    def description(self) -> str:
        """What it is, in words."""
        sigma = "max(1, estimated)" if self.sigma is None else self.sigma
        return f"BM3D, generalised Anscombe transform, gain {self.gain}, readout {self.readout}, sigma {sigma}"

    def __call__(self, images: np.ndarray, progress: Progress) -> np.ndarray:
        """Restore images (N, Y, X), real and finite; gives float32 of the same shape.

        Raises
        ------
        EmrestoreError
            If pixels are NaN or infinite, or the package bm3d is not installed.
        """
        try:
            from bm3d import BM3DProfile, bm3d
        except ImportError as error:
            raise EmrestoreError(
                "BM3D needs the package bm3d, licensed for non-commercial use only; pip install 'emrestore[bm3d]'"
            ) from error
        if not np.isfinite(images).all():
            raise EmrestoreError("pixels are NaN or infinite; replace them, by a median of their neighbours say")
        profile = BM3DProfile()
        profile.num_threads = 1  # more threads sum in another order each time
        noise = self.readout / self.gain
        restored = np.empty(images.shape, np.float32)
        for number, image in enumerate(images):
            stabilised = stabilise(image.astype(np.float64) / self.gain, noise)
            sigma = self.sigma or max(1.0, estimate_sigma(stabilised))
            if np.ptp(image) == 0:
                restored[number] = image
            else:
                margin = [(0, max(0, EDGE - edge)) for edge in image.shape]
                filtered = bm3d(np.pad(stabilised, margin, "symmetric"), sigma, profile)
                filtered = filtered[tuple(slice(edge) for edge in image.shape)]
                restored[number] = self.gain * unstabilise(filtered, noise)
            progress((number + 1) / len(images))
        return restored


def stabilise(counts: np.ndarray, readout: float = 0.0) -> np.ndarray:
    """Transform counts so that their standard deviation is 1: 2 sqrt(counts + 3/8 + readout²), or 0 where below.

    Parameters
    ----------
    counts
        Any shape; variance = mean + readout².
    readout
        Standard deviation of the Gaussian part [counts].
    """
    return 2 * np.sqrt(np.maximum(counts + 3 / 8 + readout**2, 0))


def unstabilise(values: np.ndarray, readout: float = 0.0) -> np.ndarray:
    """Give the mean counts whose stabilised values have the means ``values`` (exact unbiased inverse), not negative.

    Interpolated in a table of the exact means up to :data:`MANY` counts; above, its expansion.
    """
    means, stabilised = _expectations(readout)
    return np.where(values < stabilised[-1], np.interp(values, stabilised, means), values**2 / 4 - 1 / 8 - readout**2)


@lru_cache(maxsize=8)
def _expectations(readout: float) -> tuple[np.ndarray, np.ndarray]:
    """Tabulate the mean of the stabilised value against the mean count: (means, stabilised)."""
    # even in the square root, as the transform is: linear interpolation then errs by step² = 2.5e-5 counts at most
    means = np.linspace(0, np.sqrt(MANY), 2001) ** 2
    counts = np.arange(MANY + 15 * np.sqrt(MANY))
    nodes, weights = np.polynomial.hermite_e.hermegauss(32 if readout else 1)
    values = stabilise(counts[:, None] + readout * nodes, readout) @ (weights / weights.sum())
    log_probability = xlogy(counts, means[:, None]) - means[:, None] - gammaln(counts + 1)
    return means, np.exp(log_probability) @ values


def estimate_sigma(image: np.ndarray) -> float:
    """Estimate the standard deviation of white noise from the finest diagonal band: 1.4826 x its median absolute value.

    The band is the second difference along x of that along y, of unit gain for white noise (Immerkær 1996): structure
    that is sampled well is not in it, and the median leaves out hot pixels. It is 0 where most pixels are empty.
    """
    return float(1.4826 * np.median(np.abs(np.diff(np.diff(image, 2, axis=0), 2, axis=1))) / 6)
