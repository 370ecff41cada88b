"""What each effect should do to simple images, and what it does: theory and measurement side by side.

Every row compares one number. Where chance decides, ``scale`` is the standard error of the measured mean over
independent images; where it does not, the largest deviation that the method's arithmetic allows.
"""

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch
from scipy import fft, integrate, special
from torch import Tensor

from emrestore.distort import noise, resample
from emrestore.distort.blur import Blur
from emrestore.distort.dark_current import DarkCurrent
from emrestore.distort.digitise import Quantisation, Rectification, Saturation
from emrestore.distort.effect import Parameters
from emrestore.distort.fast_scan import FastScan
from emrestore.distort.fixed_pattern import FixedPattern
from emrestore.distort.interpolation import Interpolation
from emrestore.distort.jitter import displacements
from emrestore.distort.mtf import Mtf
from emrestore.distort.photomultiplier import Photomultiplier
from emrestore.distort.readout import Flicker, Reset, Thermal
from emrestore.distort.row_lines import RowLines
from emrestore.distort.shot import Exposure, Shot
from emrestore.distort.spots import Spots

IMAGES = 64
SIZE = 128
#: Rounding of float32 through a few hundred operations.
ROUNDING = 2e-5


def compare(key: int) -> pd.DataFrame:
    """Measure all effects.

    Parameters
    ----------
    key
        Key of the noise, see :func:`emrestore.rng.key`.

    Returns
    -------
    DataFrame
        Columns ``effect, statistic, x, x_name, theory, measured, scale, random``; ``scale`` is a standard error where
        ``random``, else a bound.
    """
    rows = []
    for number, measure in enumerate(MEASUREMENTS):
        keys = noise.keys(key, IMAGES, first=number * IMAGES)
        rows += [(measure.__name__, *row) for row in measure(keys)]
    columns = ["effect", "statistic", "x_name", "x", "theory", "measured", "scale", "random"]
    return pd.DataFrame(rows, columns=columns)


Row = tuple[str, str, float, float, float, float, bool]


def _mean(statistic: str, x_name: str, x: float, theory: float, samples: Tensor) -> Row:
    """Compare the mean of independent samples with its expectation."""
    samples = samples.double()
    error = samples.std() / math.sqrt(samples.numel())
    return statistic, x_name, float(x), float(theory), float(samples.mean()), float(error), True


def _exact(statistic: str, x_name: str, x: float, theory: float, measured: float, bound: float) -> Row:
    return statistic, x_name, float(x), float(theory), float(measured), float(bound), False


def _each(keys: Tensor, **values: float | int | bool | str) -> Parameters:
    """Give all images the same parameters, and each its key."""
    return {name: torch.full((len(keys),), value) for name, value in values.items()} | {"key": keys}


def _flat(level: float, keys: Tensor) -> Tensor:
    return torch.full((len(keys), 1, SIZE, SIZE), float(level))


def exposure(keys: Tensor) -> Iterator[Row]:
    """Eq. 30's truncated exponential distribution: its distribution function."""
    low, high, scale = 0.5, 750.0, 0.5 * 749.5
    dose = Exposure((low, high), "exponential", 0.5, "range").sample(noise.keys(int(keys[0]), 20000), torch.ones(20000))
    for level in (20, 60, 150, 300, 450, 600, 700):
        theory = math.expm1(-(level - low) / scale) / math.expm1(-(high - low) / scale)
        yield _mean("distribution function", "dose [e/px]", level, theory, (dose < level).double())


def shot(keys: Tensor) -> Iterator[Row]:
    """Eqs 30, 45: mean and variance of a Poisson number, over the mean."""
    for level in (0.1, 0.5, 3, 9.5, 10.5, 50, 500, 1e4):
        counts = Shot.apply(_flat(level, keys), _each(noise.subkeys(keys, str(level))))
        yield _mean("mean over expectation", "expectation [e/px]", level, 1, counts / level)
        yield _mean("variance over expectation", "expectation [e/px]", level, 1, (counts - level) ** 2 / level)


def jitter(keys: Tensor) -> Iterator[Row]:
    """Eq. 41: covariance σ² φ^k / (1 - φ²) at a lag of k, from the first row on."""
    sigma, phi = 0.75, 0.6
    parameters = _each(keys, sigma_x=sigma, sigma_y=sigma, phi_x=phi, phi_y=phi, index=0)
    for name, series in zip(("y", "x"), displacements(parameters, (1024, 8)), strict=True):
        for lag in (0, 1, 2, 3, 4, 6, 8):
            products = (series[:, lag:] * series[:, : series.shape[1] - lag]).double().mean(1)
            theory = sigma**2 * phi**lag / (1 - phi**2)
            yield _mean(f"covariance of {name} [px²]", "lag [rows]", lag, theory, products)
        first = series[:, 0].double() ** 2
        yield _mean(f"variance of the first {name} [px²]", "lag [rows]", 0, sigma**2 / (1 - phi**2), first)


def resampling(keys: Tensor) -> Iterator[Row]:
    """Eq. 42 with one displacement for all rows: a shift, by 0.02 px at least, of all that 6 px or more resolve."""
    count, frequency = 11, 1 / 6
    shifts = torch.linspace(-1, 1, count)
    x = torch.arange(SIZE)
    wave = torch.cos(2 * math.pi * frequency * x)
    for name, image in (("x", wave[None, :].expand(SIZE, SIZE)), ("y", wave[:, None].expand(SIZE, SIZE))):
        moves = shifts[:, None].expand(count, SIZE)
        still = torch.zeros(count, SIZE)
        arguments = (still, moves) if name == "x" else (moves, still)
        moved = resample.shift_rows(image[None, None].expand(count, 1, SIZE, SIZE), *arguments)[:, 0]
        line = (moved[:, SIZE // 2] if name == "x" else moved[..., SIZE // 2])[:, 16:112].double()
        # ninety-six pixels are sixteen periods: the phase is that of the Fourier sum
        phase = torch.angle((line * torch.polar(torch.ones(96), -2 * math.pi * frequency * x[16:112])).sum(1))
        for nominal, found in zip(shifts, phase / (2 * math.pi * frequency), strict=True):
            yield _exact(f"displacement along {name} [px]", "nominal [px]", nominal, nominal, found, 0.02)


def photomultiplier(keys: Tensor) -> Iterator[Row]:
    """Eqs 44 and 46 in electrons: the relative variance of n electrons' charge is (σ / m_c η G)² / n."""
    m, eta, delta = 100.0, 0.2, 4.0
    detector = Photomultiplier((m, m), 1.0, (eta, eta), (delta, delta), 1e6, "per electron")
    width = math.sqrt((1 - eta + 1 / (delta - 1)) / (m * eta) + 1 / m)
    for count in (1, 4, 20, 100, 1000):
        charge = Photomultiplier.apply(_flat(count, keys), detector.sample(noise.subkeys(keys, str(count)), None))
        name = "relative variance x electrons"
        yield _mean(name, "electrons", count, width**2, (charge / count - 1) ** 2 * count)


def fast_scan(keys: Tensor) -> Iterator[Row]:
    """Eqs 47 to 49: response to one bright pixel, against the printed functions integrated numerically."""
    detector, decay, period, phase = 0.8, 1.5, 9.0, 0.4
    place = 40
    image = torch.zeros(1, 1, 1, SIZE)
    image[..., place] = 1
    values = {"detector": detector, "decay": decay, "period": period, "phase": phase, "flyback": 0}
    one = {name: torch.tensor([value]) for name, value in values.items()}

    def lorentzian(x: float) -> float:
        alpha = 2 * math.pi * detector
        return 4 * alpha / (4 * math.pi**2 * x**2 + alpha**2)

    def oscillation(x: float) -> float:
        return math.exp(-x / decay) * math.sin(2 * math.pi * x / period + phase)

    # normalisation by quadrature too: the corrected Eq. 50 is what it checks
    norm = integrate.quad(oscillation, 0, 40 * decay, limit=400)[0]

    def seen(response: Callable[[float], float], lag: int) -> float:
        """Average over the dwells of cause and effect: a triangle of one pixel's half width."""
        edges = [max(lag - 1, 0), lag, lag + 1]
        return sum(
            integrate.quad(lambda x: response(x) * (1 - abs(x - lag)), low, high)[0]
            for low, high in itertools.pairwise(edges)
        )

    first = np.array([seen(lorentzian, lag) for lag in range(SIZE)])
    second = np.array([seen(oscillation, lag) / norm for lag in range(SIZE)])
    for name, readout, theory in (
        ("detector alone", False, first),
        ("detector and readout", True, np.convolve(first, second)),
    ):
        found = FastScan.apply(image, one | {"readout": torch.tensor([readout])})[0, 0, 0]
        for lag in (0, 1, 2, 3, 4, 6, 8, 11, 16):
            yield _exact(f"weight, {name}", "pixels ago", lag, theory[lag], found[place + lag], ROUNDING)
        constant = FastScan.apply(torch.ones_like(image), one | {"readout": torch.tensor([readout])})
        yield _exact(f"sum of weights, {name}", "pixels ago", 0, 1, constant.max(), ROUNDING)


def row_lines(keys: Tensor) -> Iterator[Row]:
    """Eq. 51: a run's mean changes by the factor, all its pixels alike."""
    image = noise.uniform(keys, 1, SIZE, SIZE) + 1
    start, length = 20, 64
    for factor in (0.5, 0.8, 1.0, 1.2, 1.5):
        runs = {"row": 31, "start": start, "length": length, "factor": factor}
        parameters = {name: torch.full((len(keys), 1), value) for name, value in runs.items()}
        run = (slice(None), 0, 31, slice(start, start + length))
        lines = RowLines.apply(image, parameters)
        worst = (lines[run] / image[run].mean(1, keepdim=True) - factor).abs().max()
        yield _exact("run over its mean", "factor", factor, factor, factor + worst, ROUNDING)


def black_pixels(keys: Tensor) -> Iterator[Row]:
    """Eqs 37, 52: K points on P pixels blacken P (1 - (1 - 1/P)^K) of them."""
    image = torch.ones(len(keys), 1, 16, 16)
    scene = type("Scene", (), {"shape": (16, 16)})
    for count in (10, 30, 80, 200):
        drawn = Spots((count, count), (0, 0), (0.0, 0.0)).sample(keys, scene)
        black = (Spots.apply(image, drawn) == 0).flatten(1).sum(1)
        yield _mean("black pixels of 256", "points", count, 256 * (1 - (1 - 1 / 256) ** count), black)


def fixed_pattern(keys: Tensor) -> Iterator[Row]:
    """Eq. 31: variance of the gains."""
    for sigma in (0.005, 0.02, 0.1):
        gain = FixedPattern.apply(_flat(1, keys), _each(noise.subkeys(keys, str(sigma)), sigma=sigma))
        yield _mean("variance over σ²", "σ", sigma, 1, ((gain - 1) / sigma) ** 2)


def dark_current(keys: Tensor) -> Iterator[Row]:
    """Eqs 32, 33: mean and variance of log-normal body, hot pixels and counting together."""
    for mean in (0.2, 2.0, 20.0):
        sigma, hot = 0.4 * mean, 0.01
        drawn = DarkCurrent((mean, mean), (0.4, 0.4), (hot, hot)).sample(noise.subkeys(keys, str(mean)), None)
        counts = DarkCurrent.apply(_flat(0, keys), drawn)
        excess = mean + 6.5 * sigma
        expectation = mean + hot * excess
        variance = expectation + sigma**2 + hot * (excess**2 + (3 * sigma) ** 2 / 12) - (hot * excess) ** 2
        yield _mean("mean over theory", "μ [e/px]", mean, 1, counts / expectation)
        yield _mean("variance over theory", "μ [e/px]", mean, 1, (counts - expectation) ** 2 / variance)


def thermal(keys: Tensor) -> Iterator[Row]:
    """Eq. 34: white."""
    sigma = 0.7
    field = Thermal.apply(_flat(0, keys), _each(keys, sigma=sigma))[:, 0].double()
    for lag in (0, 1, 2, 3):
        products = (field[..., lag:] * field[..., : SIZE - lag]).mean((1, 2))
        yield _mean("covariance along rows [e²]", "lag [px]", lag, sigma**2 * (lag == 0), products)


def reset(keys: Tensor) -> Iterator[Row]:
    """Eq. 36: constant along rows, white across them."""
    sigma = 0.7
    field = Reset.apply(_flat(0, keys), _each(keys, sigma=sigma))[:, 0].double()
    for lag in (0, 1, 2, 3):
        products = (field[:, lag:, 0] * field[:, : SIZE - lag, 0]).mean(1)
        yield _mean("covariance across rows [e²]", "lag [px]", lag, sigma**2 * (lag == 0), products)
    yield _exact("range within a row [e]", "lag [px]", 0, 0, (field.amax(2) - field.amin(2)).max(), 0)


def flicker(keys: Tensor) -> Iterator[Row]:
    """Eq. 35: power spectrum proportional to 1/f², variance σ²."""
    sigma = 0.7
    field = Flicker.apply(_flat(0, keys), _each(keys, sigma=sigma))[:, 0].double()
    power = torch.fft.fft2(field).abs() ** 2 / SIZE**2
    f = torch.fft.fftfreq(SIZE, dtype=torch.float64)
    radius = torch.sqrt(f[:, None] ** 2 + f**2)
    inverse = torch.where(radius > 0, 1 / radius, 0.0) ** 2
    theory = sigma**2 * inverse / inverse.mean()
    for low in (0.01, 0.02, 0.04, 0.08, 0.16, 0.32):
        ring = (radius >= low) & (radius < 1.25 * low)
        frequency = radius[ring].mean()
        ratio = (power / torch.where(theory > 0, theory, 1))[:, ring].mean(1) * theory[ring].mean()
        yield _mean("power [e² px²]", "frequency [1/px]", frequency, theory[ring].mean(), ratio)
    yield _mean("variance [e²]", "frequency [1/px]", 0, sigma**2, field.pow(2).mean((1, 2)))


def mtf(keys: Tensor) -> Iterator[Row]:
    """Eqs 28, 29: ratio of the cosine spectra of a white image before and after."""
    a, b, c = 0.7, 0.15, 0.8
    image = noise.uniform(keys[:1], 1, SIZE, SIZE)
    blurred = Mtf.apply(image, {"a": torch.tensor([a]), "b": torch.tensor([b]), "c": torch.tensor([c])})
    # the image is mirrored at its borders, so that cosines pass as they are
    before, after = (fft.dctn(array[0, 0].double().numpy(), norm="ortho") for array in (image, blurred))
    strength = np.abs(before).mean()
    for number in (0, 4, 8, 16, 32, 64, 96, 127):
        u = number / SIZE
        for name, g, place, pixel in (
            ("along x", u, (0, number), np.sinc(u / 2)),
            ("along the diagonal", math.sqrt(2) * u, (number, number), np.sinc(u / 2) ** 2),
        ):
            theory = (a * math.exp(-(g**2) / (2 * b**2)) + (1 - a) * math.exp(-(g**2) / (2 * c**2))) * pixel
            bound = ROUNDING * strength / abs(before[place]) + ROUNDING
            found = after[place] / before[place]
            yield _exact(f"transfer {name}", "frequency [Nyquist]", u, theory, found, bound)
    yield _exact("total over total", "frequency [Nyquist]", 0, 1, blurred.sum() / image.sum(), ROUNDING)


def saturation(keys: Tensor) -> Iterator[Row]:
    """Eqs 39, 54: mean of a normal deviate cut off at T."""
    for level in (-1.0, 0.0, 0.5, 1.0, 2.0):
        field = noise.normal(noise.subkeys(keys, str(level)), 1, SIZE, SIZE)
        density = math.exp(-(level**2) / 2) / math.sqrt(2 * math.pi)
        theory = level * special.ndtr(-level) - density
        cut = Saturation.apply(field, {"level": torch.full((len(keys),), level)})
        yield _mean("mean of what is left [σ]", "threshold [σ]", level, theory, cut.flatten(1).mean(1))


def quantisation(keys: Tensor) -> Iterator[Row]:
    """Eqs 40, 55: error uniform over a step, variance step² / 12."""
    for step in (0.02, 0.1, 0.5):
        field = 10 + noise.normal(noise.subkeys(keys, str(step)), 1, SIZE, SIZE)
        error = Quantisation.apply(field, {"step": torch.full((len(keys),), step)}).double() - field.double()
        yield _mean("variance over step² / 12", "step [σ]", step, 1, 12 * (error / step) ** 2)
        yield _mean("fourth moment over step⁴ / 80", "step [σ]", step, 1, 80 * (error / step) ** 4)


def blur(keys: Tensor) -> Iterator[Row]:
    """Transfer of a sampled Gaussian: the sum of its aliases."""
    order = np.arange(-3, 4)
    x = np.arange(SIZE)
    for sigma in (0.5, 0.75, 1.0):
        for number in (4, 12, 24, 40, 64):
            f = number / (2 * SIZE)
            # half-sample symmetric as the mirrored image
            wave = np.cos(2 * math.pi * f * (x + 0.5))
            image = torch.from_numpy(np.tile(wave, (SIZE, 1))).float()[None, None]
            found = Blur.apply(image, {"sigma": torch.tensor([sigma])})[0, 0, 5].double().numpy()
            aliases = [np.exp(-2 * (math.pi * sigma * (f0 - order)) ** 2).sum() for f0 in (f, 0.0)]
            transfer = (found * wave).sum() / (wave**2).sum()
            # what a kernel cut at four sigma lacks: erfc(4 / √2) on either side
            bound = ROUNDING + 2 * special.erfc((4 - 0.5) / math.sqrt(2))
            name = f"transfer, σ = {sigma:g} px"
            yield _exact(name, "frequency [1/px]", f, aliases[0] / aliases[1], transfer, bound)


def interpolation(keys: Tensor) -> Iterator[Row]:
    """A rotated and scaled wave, against the wave evaluated where each pixel comes from."""
    drawn = Interpolation((30, 30), (1.1, 1.1), (0.05, 0.05), (0.3, 0.3)).sample(keys[:1], None)
    centre = (SIZE - 1) / 2
    y, x = (np.arange(SIZE) - centre)[:, None], np.arange(SIZE) - centre
    old_y = float(drawn["yy"]) * y + float(drawn["yx"]) * x + float(drawn["y"])
    old_x = float(drawn["xy"]) * y + float(drawn["xx"]) * x + float(drawn["x"])
    inside = (np.abs(old_y) < centre - 2) & (np.abs(old_x) < centre - 2)
    for period in (6, 8, 12, 20):
        f = 1 / period
        wave = np.cos(2 * math.pi * f * x) * np.cos(2 * math.pi * f * y)
        theory = np.cos(2 * math.pi * f * old_x) * np.cos(2 * math.pi * f * old_y)
        found = Interpolation.apply(torch.from_numpy(wave).float()[None, None], drawn)[0, 0].double().numpy()
        # the kernel's own error for this frequency at the worst place between pixels, once for each axis
        s = torch.linspace(0, 1, 101, dtype=torch.float64)[:-1]
        taps = torch.stack(resample.weights(s))
        phases = torch.tensor(resample.TAPS, dtype=torch.float64)[:, None] - s
        gain = (taps * torch.polar(torch.ones_like(phases), 2 * math.pi * f * phases)).sum(0)
        bound = 2 * float((gain - 1).abs().max()) + ROUNDING
        worst = np.abs(found - theory)[inside].max()
        yield _exact("largest error", "period [px]", period, 0, worst, bound)


def rectification(keys: Tensor) -> Iterator[Row]:
    """Negative values folded or cut off: the mean of a rectified normal deviate, over its standard deviation."""
    for level in (-1.0, 0.0, 0.5, 1.0, 2.0):
        field = level + noise.normal(noise.subkeys(keys, str(level)), 1, SIZE, SIZE)
        density = math.exp(-(level**2) / 2) / math.sqrt(2 * math.pi)
        below = math.erfc(level / math.sqrt(2)) / 2
        clipped = density + level * (1 - below)
        for name, theory in (("mean, cut off", clipped), ("mean, folded", clipped + density - level * below)):
            folded = torch.full((len(keys),), name == "mean, folded")
            yield _mean(name, "expectation [σ]", level, theory, Rectification.apply(field, {"folded": folded}))


MEASUREMENTS = (
    exposure, shot, jitter, resampling, photomultiplier, fast_scan, row_lines, black_pixels, mtf, fixed_pattern,
    dark_current, thermal, flicker, reset, saturation, quantisation, interpolation, blur, rectification,
)  # fmt: skip
