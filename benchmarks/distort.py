"""Time of the STEM distortions (chain ``stem`` of the default configuration), beside the same chain in NumPy and SciPy.

    python benchmarks/distort.py

distorts 64 images of 256 x 256 pixels on two threads; the reference loops over the images on as many processes and
takes the same drawn parameters. It resamples with SciPy's cubic splines, as a user would; the values of both are
compared link by link before anything is timed, with the cubic convolution that emrestore uses written out in NumPy,
and at the same random numbers. Both take turns, and medians of all turns count.
"""

import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import yaml
from _record import record
from scipy import ndimage, signal, stats

from emrestore import rng
from emrestore.config import value
from emrestore.distort import annotation, chain, fast_scan, jitter, noise
from emrestore.distort.effect import Effect, select

COUNT, SIZE, THREADS, TURNS = 64, 256, 2, 9
PIXEL_SIZE = 0.1
FLOOR = 20
#: Unit roundoff of float32, in which emrestore works; the values it is compared with are in float64.
EPSILON = 2.0**-24

# The reference: one function for each link, (image (Y, X), its parameters, generator) to image.


def series(innovations: np.ndarray, phi: float) -> np.ndarray:
    """Give the autoregressive series of these innovations."""
    first = innovations[:1] / np.sqrt(1 - phi**2)
    return signal.lfilter([1.0], [1.0, -phi], np.concatenate([first, innovations[1:]]))


def spline(image: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Resample with cubic B-splines, mirrored at the borders: what SciPy offers."""
    return ndimage.map_coordinates(image, np.broadcast_arrays(y, x), order=3, mode="reflect")


def convolution(image: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Resample with Keys' cubic convolution, mirrored at the borders: what emrestore does, with 16 neighbours each."""
    out = 0.0
    for j in range(-1, 3):
        for i in range(-1, 3):
            row, column = np.floor(y).astype(int) + j, np.floor(x).astype(int) + i
            places = [_mirror(places, size) for places, size in zip((row, column), image.shape, strict=True)]
            out = out + keys_kernel(y - row) * keys_kernel(x - column) * image[tuple(places)]
    return out


def keys_kernel(distance: np.ndarray) -> np.ndarray:
    """Give the piecewise cubic of Keys (1981), Eq. 4 with a = -1/2."""
    s = np.abs(distance)
    return np.where(s < 1, 1 + s**2 * (1.5 * s - 2.5), np.where(s < 2, 2 + s * (s * (2.5 - 0.5 * s) - 4), 0.0))


def _mirror(index: np.ndarray, size: int) -> np.ndarray:
    index = index % (2 * size)
    return np.where(index < size, index, 2 * size - 1 - index)


def shift_rows(image, dy, dx, resample=spline):
    """Give each row what lies at its own displacement."""
    y, x = np.indices(image.shape, sparse=True)
    return resample(image, y + dy[:, None], x + dx[:, None])


def move(image, p, generator):
    """Jitter (Eqs 41, 42)."""
    dy, dx = (series(generator.standard_normal(len(image)), p[f"phi_{a}"]) * p[f"sigma_{a}"] for a in "yx")
    return shift_rows(image, dy, dx)


def shot(image, p, generator):
    """Count electrons (Eq. 45)."""
    return generator.poisson(np.maximum(image, 0)).astype(image.dtype)


def photomultiplier(image, p, generator):
    """Draw pulse heights (Eq. 46)."""
    return pulses(image, p, generator.standard_normal(image.shape, dtype=np.float32))


def pulses(image, p, field):
    """Add the spread of pulse heights, given standard normal numbers."""
    return image + p["width"] * np.sqrt(np.maximum(image, 0)) * field


def lag(image, p, generator=None):
    """Convolve rows with the response of detector and readout (Eq. 47); the beam was parked on their first pixels."""
    rest = image[:, :1]
    kernel = response(p, image.shape[1]).astype(image.dtype)[None]
    return rest + signal.fftconvolve(image - rest, kernel, axes=1)[:, : image.shape[1]]


def response(p, length):
    """Average the response over the dwells of cause and effect: closed forms of Eqs 48 and 49 integrated twice."""
    x = np.arange(length + 1.0)
    width, decay, period, phase = (float(p[name]) for name in ("detector", "decay", "period", "phase"))
    rate = 1 / decay - 2j * np.pi / period
    detector = 2 / np.pi * (x * np.arctan(x / width) - width / 2 * np.log1p((x / width) ** 2))
    wave = np.exp(1j * phase)
    readout = (wave * (x / rate - (1 - np.exp(-rate * x)) / rate**2)).imag / (wave / rate).imag
    detector, readout = (np.diff(np.diff(twice, prepend=0.0)) for twice in (detector, readout))
    return np.convolve(detector, readout)[:length]


def row_lines(image, p, generator=None):
    """Replace runs by a multiple of their mean (Eq. 51)."""
    out = image.copy()
    for row, start, length, factor in zip(p["row"], p["start"], p["length"], p["factor"], strict=True):
        run = np.s_[row, start : start + length]
        if length:
            out[run] = factor * image[run].mean()
    return out


def spots(image, p, generator=None):
    """Multiply single pixels, as black pixels and zingers are in STEM."""
    out = image.copy()
    for y, x, steps, factor in zip(p["y"], p["x"], p["steps"], p["factor"], strict=True):
        if steps == 0:
            out[y, x] = factor * image[y, x]
    return out


def saturation(image, p, generator=None):
    """Clip (Eq. 54)."""
    return np.minimum(image, p["level"])


def quantisation(image, p, generator=None):
    """Round to whole steps (Eq. 55)."""
    return np.round(image / p["step"]) * p["step"]


def affine(image, p, generator=None):
    """Rotate, scale, shear and shift about the centre."""
    matrix, offset = _map(image, p)
    return ndimage.affine_transform(image, matrix, offset, order=3, mode="reflect")


def affine_convolution(image, p):
    """Do as :func:`affine` with the cubic convolution."""
    matrix, offset = _map(image, p)
    return convolution(image, *(np.tensordot(matrix, np.indices(image.shape), 1) + offset[:, None, None]))


def _map(image, p):
    matrix = np.array([[p["yy"], p["yx"]], [p["xy"], p["xx"]]], dtype=float)
    centre = (np.array(image.shape) - 1) / 2
    return matrix, centre + np.array([p["y"], p["x"]]) - matrix @ centre


def blur(image, p, generator=None):
    """Blur as far as emrestore does, four standard deviations."""
    return ndimage.gaussian_filter(image, p["sigma"], mode="reflect", radius=int(np.ceil(4 * p["sigma"])))


def annotations(image, p, generator=None):
    """Paint items one over the other, with smooth edges."""
    for item in range(len(p["kind"])):
        if p["kind"][item] >= 0:
            distance = edge(image.shape, {name: values[item] for name, values in p.items()})
            image = image + np.clip(0.5 - distance, 0, 1) * (p["level"][item] - image)
    return image


def edge(shape, p):
    """Give the signed distance to the edge of one item, negative inside."""
    y, x = np.indices(shape, sparse=True)
    y, x, length, width = y - p["y"], x - p["x"], p["length"], p["width"]
    kind = annotation.KINDS[p["kind"]]
    if kind == "text":
        atlas = annotation._atlas().numpy()
        pace = length * atlas.shape[2] / annotation.LINE
        row = np.clip(y / length * annotation.LINE - 0.5, 0, annotation.LINE - 1.001)
        out = np.full(shape, np.inf)
        for number, glyph in enumerate(p["glyphs"][p["glyphs"] >= 0]):
            column = np.clip((x / pace - number) * atlas.shape[2] - 0.5, 0, atlas.shape[2] - 1.001)
            letter = ndimage.map_coordinates(atlas[glyph], np.broadcast_arrays(row, column), order=1)
            inside = (np.floor(x / pace) == number) & (y >= 0) & (y < length)
            out = np.where(inside, letter * length / annotation.LINE, out)
        return out
    along = x * np.cos(p["angle"]) + y * np.sin(p["angle"])
    across = np.abs(y * np.cos(p["angle"]) - x * np.sin(p["angle"]))
    if kind == "arrow":
        head = min(length, 3 * p["thickness"] + 2)
        tip = np.maximum(across - (length - along) / 2, length - head - along)
        return np.minimum(
            np.maximum(across - p["thickness"] / 2, np.maximum(-length - along, along + head - length)), tip
        )
    if kind == "ellipse":
        closed = (np.hypot(along / length, across / width) - 1) * min(length, width)
    else:
        closed = np.maximum(np.abs(along) - length, across - width)
    return closed if p["filled"] else np.abs(closed) - p["thickness"] / 2


def cropping(image, p, generator=None):
    """Fill the strips outside the kept area."""
    ny, nx = image.shape
    out = np.full_like(image, p["level"])
    kept = np.s_[p["top"] : ny - p["bottom"], p["left"] : nx - p["right"]]
    out[kept] = image[kept]
    return out


RECORDING = {
    "jitter": move,
    "shot": shot,
    "photomultiplier": photomultiplier,
    "fast_scan": lag,
    "row_lines": row_lines,
    "black_pixels": spots,
    "zingers": spots,
    "saturation": saturation,
    "quantisation": quantisation,
}
PROCESSING = {"interpolation": affine, "blur": blur, "annotations": annotations, "cropping": cropping}
BOTH = ("interpolation", "annotations", "cropping")


def reference(number: int, clean: np.ndarray, p: dict[str, dict]) -> tuple[np.ndarray, np.ndarray]:
    """Distort one image by the links that it has parameters for."""
    generator = np.random.default_rng(number)
    truth, image = clean, clean * p["exposure"]["electrons"]
    for name, effect in RECORDING.items():
        if name in p:
            image = effect(image, p[name], generator)
    image = image / p["exposure"]["electrons"]
    for name, effect in PROCESSING.items():
        if name in p:
            image = effect(image, p[name], generator)
            truth = effect(truth, p[name], generator) if name in BOTH else truth
    return truth, image


def check(distortions: chain.Chain, clean: torch.Tensor, drawn: dict) -> None:
    """Compare every link with the reference on all images, whether or not it occurs there; stop where they differ.

    A link's input is what emrestore gives, so that deviations stay those of one link. Bounds are on rounding in
    float32, most of them times the largest intensity that goes in. Noise is compared at the same uniform numbers.
    """
    electrons = drawn["exposure"]["electrons"].view(-1, 1, 1, 1)
    image = truth = clean
    for name, _, effect in distortions.effects:
        if name == "jitter":
            image = image * electrons
        if name == "interpolation":
            image = image / electrons
        p = {key: values for key, values in drawn[name].items() if key != "occurs"}
        result = effect.apply(image, p)
        for number in range(COUNT):
            single = image[number, 0].double().numpy()
            one = {
                key: v[number].double().numpy() if v.is_floating_point() else v[number].numpy() for key, v in p.items()
            }
            expected, bound = expect(name, single, one, select(p, slice(number, number + 1)))
            compare(name, number, result[number, 0].numpy(), expected, bound)
        occurs = drawn[name]["occurs"].view(-1, 1, 1, 1)
        image = torch.where(occurs, result, image)
        if name in BOTH:
            truth = torch.where(occurs, effect.apply(truth, p), truth)
    for ours, walked in zip(distortions.apply(clean, drawn), (truth, image), strict=True):
        if not torch.equal(ours, walked):
            sys.exit("the chain is not what its links give one after the other")


def expect(name: str, image: np.ndarray, p: dict, tensors: dict) -> tuple[np.ndarray, np.ndarray | float]:
    """Give what a link must yield and the bound on rounding; ``tensors`` are ``p`` as emrestore takes them."""
    unit = EPSILON * np.abs(image).max()
    if name == "jitter":
        moves = [moved.double().numpy()[0] for moved in jitter.displacements(tensors, image.shape)]
        for axis, moved in zip("yx", moves, strict=True):
            innovations = noise.normal(noise.subkeys(tensors["key"], axis), len(image))[0].double().numpy()
            # 8 doublings with 3 roundings each, of sums below max |a| / (1 - phi), the first term enlarged
            largest = np.abs(innovations).max() / (1 - p[f"phi_{axis}"]) ** 1.5
            bound = (24 + 2) * EPSILON * largest * p[f"sigma_{axis}"]
            compare("series", axis, moved, series(innovations, p[f"phi_{axis}"]) * p[f"sigma_{axis}"], bound)
        # each axis: 4 roundings of a weight, 2 of a product and its sum, 1 of the place where the kernel's slopes add
        # to 3; the sizes of four weights add to 1.25 at most
        return shift_rows(image, *moves, resample=convolution), 2 * (6 * 1.25 + 3) * 1.25 * unit
    if name == "shot":
        # exact; and that the numbers are Poisson's shows in mean and variance, within five standard errors
        mean = np.maximum(image, 0)
        quantile = stats.poisson.ppf(noise.uniform(tensors["key"], *image.shape, dtype=torch.float64)[0].numpy(), mean)
        some = mean > 0
        deviations = (quantile - mean)[some] / np.sqrt(mean[some])
        moments("shot", deviations, 2 + (1 / mean[some]).mean())
        return quantile, 0.0
    if name == "photomultiplier":
        field = noise.normal(tensors["key"], *image.shape)[0].double().numpy()
        # Box and Muller's transform of the same numbers; an angle of up to 2π in float32 is rounded twice, a radius of
        # up to 5.8 four times
        u, v = noise.uniform(tensors["key"], 2, field.size // 2)[0].double().numpy()
        exact = np.sqrt(-2 * np.log(u)) * np.array([np.cos(2 * np.pi * v), np.sin(2 * np.pi * v)])
        compare("normal", "", field, exact.reshape(field.shape), 5.8 * (2 * 2 * np.pi + 4) * EPSILON)
        moments("photomultiplier", field, 2)
        # root, two products and a sum
        return pulses(image, p, field), 4 * unit * (1 + p["width"] * np.abs(field).max())
    if name == "fast_scan":
        kernel = fast_scan.response(tensors, image.shape[1])[0].double().numpy()
        # its rounding to float32, and of double precision what second differences of 256 leave
        compare("response", "", kernel, response(p, image.shape[1]), EPSILON * np.abs(kernel).max() + 1e-12)
        # three transforms of length n are each good to 7 log2(n) units (Higham, Accuracy and Stability, Th. 24.2)
        stages = 3 * 7 * np.log2(2 * image.shape[1])
        rows = np.linalg.norm(image - image[:, :1], axis=1, keepdims=True)
        return lag(image, p), (stages + 2) * EPSILON * np.abs(kernel).sum() * rows + 2 * unit
    if name == "quantisation":
        ratio = image / p["step"]
        # two roundings, and a whole step where they decide which way to round
        tie = np.abs(ratio - np.floor(ratio) - 0.5) <= 2 * EPSILON * np.abs(ratio)
        return quantisation(image, p), 2 * unit + tie * p["step"]
    if name == "interpolation":
        # as jitter, with coordinates of up to 400 that are rounded four times, on slopes of 3 x 1.25 along each axis
        return affine_convolution(image, p), (2 * 6 * 1.25 * 1.25 + 2 * 3 * 1.25 * 4 * 400) * unit
    if name == "blur":
        # each axis: 9 terms, 8 roundings of a weight (its exponent is at most 8), 2 of a product and its sum
        return blur(image, p), 2 * (9 + 8 + 2) * unit
    if name == "annotations":
        # distances of up to 400 px after eight roundings, on a slope of one per pixel, of up to four items
        return annotations(image, p), len(p["kind"]) * 8 * 400 * EPSILON * max(np.abs(image).max(), p["level"].max())
    # a comparison, or one product: of a mean of its own rounding in row lines, with a factor of up to 10 in zingers
    return (RECORDING | PROCESSING)[name](image, p), 2 * 10 * unit


def compare(name: str, number: int | str, ours: np.ndarray, expected: np.ndarray, bound: np.ndarray | float) -> None:
    """Stop where two arrays differ by more than the bound; keep the largest share of the bound for each name."""
    share = np.abs(ours - expected) / np.where(bound > 0, bound, 1e-300)
    if not (share <= 1).all():
        sys.exit(f"{name}, image {number}: {(share > 1).sum()} values differ from NumPy's by more than rounding, the "
                 f"largest difference is {np.abs(ours - expected).max():.3g}")  # fmt: skip
    SHARES[name] = max(SHARES.get(name, 0.0), float(share.max()))


def moments(name: str, numbers: np.ndarray, variance: float) -> None:
    """Stop where mean and variance are not 0 and 1 within five standard errors; ``variance``: that of the squares."""
    for moment, spread in ((numbers.mean(), 1), ((numbers**2).mean() - 1, variance)):
        compare(f"moments of {name}", "", moment, 0.0, 5 * np.sqrt(spread / numbers.size))


@dataclass(frozen=True)
class Timed:
    """An effect that adds its time to the last of some tables."""

    name: str
    effect: Effect
    seconds: list[dict[str, float]]

    stage = property(lambda self: self.effect.stage)
    both = property(lambda self: self.effect.both)

    def apply(self, image: torch.Tensor, parameters: dict) -> torch.Tensor:
        """Impose parameters as the effect does."""
        started = time.perf_counter()
        result = self.effect.apply(image, parameters)
        self.seconds[-1][self.name] = self.seconds[-1].get(self.name, 0.0) + time.perf_counter() - started
        return result


def lattices() -> torch.Tensor:
    """Give clean images of a crystal, (COUNT, 1, SIZE, SIZE), of unit maximum, each turned its own way."""
    angles = torch.tensor(rng.stream(0, "benchmarks", "distort").uniform(0, np.pi, (COUNT, 1, 1)), dtype=torch.float32)
    y, x = torch.arange(SIZE)[:, None], torch.arange(SIZE)
    waves = [torch.cos(2 * np.pi / 16 * (x * a.cos() + y * a.sin())) for a in (angles, angles + np.pi / 2)]
    # columns 16 px apart, the widths of Gaussians of a fifth of that, on a background of a tenth
    return (0.1 + 0.9 * torch.exp(0.63 * 2.5 * (sum(waves) - 2)))[:, None]


def timed(call: Callable) -> float:
    """Time one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    """Compare, measure, record, and fail where the floor is missed."""
    torch.set_num_threads(THREADS)
    config = yaml.safe_load((Path(__file__).parents[1] / "config/config.yaml").read_text(encoding="utf-8"))
    distortions = chain.build(value(config, "distortions"), "stem")
    assert [name for name, _, _ in distortions.effects] == [*RECORDING, *PROCESSING]
    clean, keys = lattices(), noise.keys(rng.key(0, "benchmarks", "distort"), COUNT)

    def draw() -> dict:
        return distortions.sample(keys, clean, PIXEL_SIZE)

    drawn = draw()
    check(distortions, clean, drawn)
    print("largest difference over its bound: " + ", ".join(f"{name} {share:.2g}" for name, share in SHARES.items()))

    # the reference gets its arrays cut up beforehand, without the links that do not occur
    tables = {link: {name: v.numpy() for name, v in p.items()} for link, p in drawn.items()}
    cut = [{link: {name: v[i] for name, v in p.items()} for link, p in tables.items()} for i in range(COUNT)]
    work = (
        range(COUNT),
        clean[:, 0].numpy(),
        [{link: p for link, p in one.items() if p.pop("occurs", True)} for one in cut],
    )
    spent: list[dict[str, float]] = []
    watched = replace(distortions, effects=tuple((n, p, Timed(n, e, spent)) for n, p, e in distortions.effects))
    with ThreadPoolExecutor(THREADS) as pool:
        calls = {
            "drawing": draw,
            "applying": lambda: distortions.apply(clean, drawn),
            "drawing and applying": lambda: distortions.apply(clean, draw()),
            "one thread": lambda: list(map(reference, *work)),
            "threads": lambda: list(pool.map(reference, *work)),
            "watched": lambda: (spent.append({}), watched.apply(clean, drawn)),
        }
        turns = [{name: timed(call) for name, call in calls.items()} for _ in range(TURNS + 1)][1:]
    speed = {name: COUNT / statistics.median(turn[name] for turn in turns) for name in calls}

    common = dict(benchmark="distort", packages=("torch", "numpy", "scipy"))
    unit = f"images of {SIZE} x {SIZE} a second"
    both = {"one thread": ("NumPy and SciPy, one image after the other", 1),
            "threads": (f"NumPy and SciPy, {THREADS} images at a time", THREADS)}  # fmt: skip
    for name, (words, cores) in both.items():
        record(quantity=f"applying, {words}", value=speed[name], unit=unit, cores=cores, **common)
    for name in ("drawing", "applying", "drawing and applying"):
        record(quantity=name, value=speed[name], unit=unit, cores=THREADS, **common)
    for name, (words, _) in both.items():
        ratio = speed["applying"] / speed[name]
        record(
            quantity="applying",
            value=speed["applying"],
            unit=unit,
            reference=words,
            ratio=ratio,
            cores=THREADS,
            **common,
        )
    for name, _, _ in distortions.effects:
        shares = [times.get(name, 0.0) / turn["watched"] for times, turn in zip(spent[1:], turns, strict=True)]
        if (share := statistics.median(shares)) > 0.05:
            record(quantity=f"share of {name} in applying", value=100 * share, unit="%", cores=THREADS, **common)
    if speed["drawing and applying"] < FLOOR:
        sys.exit(f"{speed['drawing and applying']:.1f} images a second; the floor is {FLOOR}")


#: Largest difference over its bound, for each thing that is compared.
SHARES: dict[str, float] = {}

if __name__ == "__main__":
    main()
