"""Time and memory of clean high-resolution images, 256 x 256 pixels, on one core, over 300 random draws.

    python benchmarks/generate.py

draws with the default configuration: the specimen, its image as a sum of profiles, and the intensity steps. The
reference evaluates the same sum directly at the pixels, atom by atom out to where profiles end; it takes long, so it
gets the first draws with at most as many atoms as the median draw, and only rendering is compared.
"""

import os

# before NumPy is imported: one core means one thread
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", NUMBA_NUM_THREADS="1")

import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import yaml
from _record import record

from emrestore import rng
from emrestore.config import value
from emrestore.image import clean, intensity, profiles
from emrestore.image.render import TAIL, render
from emrestore.specimen import assemble

COUNT, COMPARED, FLOOR, MEMORY = 300, 8, 12.0, 1500
#: Crops of 128 x 128 that a compact network trains on in a second on two cores, each cut from an image of its own.
TRAINING = 59


def directly(atoms: assemble.Atoms, chosen: profiles.Profiles, shape: tuple[int, int], pixel_size: float) -> np.ndarray:
    """Evaluate Eq. 16 at the pixels as it stands, each profile out to where a ten-thousandth is left."""
    image = np.zeros(shape)
    reach = chosen.radius * np.log(1 / TAIL)
    kinds = np.searchsorted(chosen.numbers, atoms.numbers)
    for (x, y), kind in zip(atoms.positions[:, :2] / pixel_size, kinds, strict=True):
        half = reach[kind] / pixel_size
        rows = slice(max(0, int(y - half)), max(0, int(y + half) + 1))
        columns = slice(max(0, int(x - half)), max(0, int(x + half) + 1))
        row = np.arange(shape[0])[rows, None] - y
        column = np.arange(shape[1])[columns] - x
        image[rows, columns] += chosen.only(kind)(np.hypot(row, column) * pixel_size)[0]
    return image


def main() -> None:
    """Measure, compare, record, and fail where the floor is missed."""
    config = yaml.safe_load((Path(__file__).parents[1] / "config/config.yaml").read_text(encoding="utf-8"))
    ranges, seed = clean.build(value(config, "generator")), value(config, "seed")
    clean.sample(ranges, "hrstem", seed, "benchmarks", "compiled")
    steps: dict[str, list[float]] = {"specimen": [], "rendering": [], "intensity steps": []}
    draws = []
    for number in range(COUNT):
        address = ("benchmarks", "generate", number)
        started = time.perf_counter()
        atoms, drawn = assemble.sample(ranges.specimen, ranges.shape, seed, *address)
        placed = time.perf_counter()
        chosen, _ = profiles.sample(ranges.profiles, atoms.numbers, rng.stream(seed, *address, "profiles"))
        image = render(atoms.positions[:, :2], atoms.numbers, chosen, ranges.shape, drawn["pixel_size"])
        rendered = time.perf_counter()
        generator = rng.stream(seed, *address, "intensity")
        intensity.apply(image, intensity.sample(ranges.intensity, generator))
        ended = time.perf_counter()
        for name, seconds in zip(steps, (placed - started, rendered - placed, ended - rendered), strict=True):
            steps[name].append(seconds)
        draws.append((number, len(atoms), rendered - placed))
    seconds = np.sum(list(steps.values()), axis=0)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def note(quantity: str, found: float, unit: str, **others) -> None:
        record("generate", quantity, found, unit, cores=1, packages=("numpy", "scipy", "numba", "spglib"), **others)

    rate = 1 / statistics.median(seconds)
    note("median", rate, "images of 256 x 256 a second")
    note("mean", 1 / seconds.mean(), "images of 256 x 256 a second")
    note("95th percentile", np.quantile(seconds, 0.95), "s an image")
    for name, spent in steps.items():
        note(f"share of {name}", 100 * np.sum(spent) / seconds.sum(), "%")
    for part in (0.25, 0.5, 0.75, 1.0):
        note(f"atoms, quantile {part}", np.quantile([count for _, count, _ in draws], part), "atoms an image")
    note("peak memory", memory, "MB")
    note("two cores for every training crop its own image", 100 * TRAINING * seconds.mean() / 2, "% of training")

    middle = statistics.median(count for _, count, _ in draws)
    ours = theirs = 0.0
    for number, _, spent in [draw for draw in draws if draw[1] <= middle][:COMPARED]:
        address = ("benchmarks", "generate", number)
        atoms, drawn = assemble.sample(ranges.specimen, ranges.shape, seed, *address)
        chosen, _ = profiles.sample(ranges.profiles, atoms.numbers, rng.stream(seed, *address, "profiles"))
        started = time.perf_counter()
        expected = directly(atoms, chosen, ranges.shape, drawn["pixel_size"])
        theirs += time.perf_counter() - started
        ours += spent
        found = render(atoms.positions[:, :2], atoms.numbers, chosen, ranges.shape, drawn["pixel_size"])
        # a thousandth of the peak of one atom, and the tails that the reference leaves out of many
        worst = np.abs(found - expected).max() / expected.max()
        if worst > 1e-3:
            sys.exit(f"image {number}: differs from direct evaluation by {worst:.2g} of its maximum")
    reference = "direct evaluation in NumPy, rendering alone"
    note("direct evaluation in NumPy, rendering alone", COMPARED / theirs, "images of 256 x 256 a second")
    note("rendering", COMPARED / ours, "images of 256 x 256 a second", reference=reference, ratio=theirs / ours)
    if rate < FLOOR or memory > MEMORY:
        sys.exit(f"{rate:.1f} images a second and {memory:.0f} MB: the floor is {FLOOR} at {MEMORY} MB")


if __name__ == "__main__":
    main()
