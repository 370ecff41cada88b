"""Time column fits against lmfit on the same images, and the jobs that the study consists of.

Run on an idle machine: ``python benchmarks/columns.py [threads]``; one thread unless told otherwise.
"""

import sys
import time
from collections.abc import Callable

import lmfit
import numpy as np
import torch
from _record import record

from emrestore.columns.fit import cut_windows, fit_images, fit_windows
from emrestore.columns.reference import fit_lmfit
from emrestore.rng import stream

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 1
VERSIONS = ("torch", "lmfit", "scipy")


def lattice(name: str, count: int, shape: int, pitch: float, sigma: float, electrons: float, images: int = 1):
    """Draw Poisson images (B, Y, X) of ``count`` columns on a disturbed square lattice; also give the positions."""
    g = stream(0, "benchmarks", "columns", name)
    side = int(np.ceil(np.sqrt(count)))
    along = (np.arange(side) - (side - 1) / 2) * pitch + (shape - 1) / 2
    positions = np.stack(np.meshgrid(along, along), -1).reshape(-1, 2)[:count] + g.normal(0, 0.3, (count, 2))
    v, u = (np.exp(-0.5 * ((np.arange(shape) - p[:, None]) / sigma) ** 2) for p in positions.T[::-1])
    height = electrons / (2 * np.pi * sigma**2)
    mean = (height * g.uniform(0.7, 1.3, (images, count, 1)) * v).swapaxes(1, 2) @ u + 0.05 * height
    return positions + g.normal(0, 0.5, positions.shape), g.poisson(mean).astype(float)


def seconds(call: Callable, repeats: int = 3) -> float:
    """Time the fastest of some calls."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)


def windowed() -> None:
    """Fit 333 columns, each on 20 x 20 px; lmfit fits the first 40 with its Gaussian2dModel and the same freedom."""
    positions, images = lattice("windowed", 333, 384, 19.6, 4.0, 2000)
    windows, corners = (part[0].numpy() for part in cut_windows(torch.tensor(images), torch.tensor(positions), 9.5))
    y, x = (axis.ravel() for axis in np.indices((20, 20)))
    model = lmfit.models.Gaussian2dModel() + lmfit.models.ConstantModel()

    def reference() -> None:
        for window, (cx, cy) in zip(windows[:40], (positions - corners)[:40], strict=True):
            start = model.make_params(amplitude=2000, centerx=cx, centery=cy, sigmax=4.9, c=window.min())
            start["sigmay"].set(expr="sigmax")
            model.fit(window.ravel(), start, x=x, y=y)

    theirs = seconds(reference) / 40
    record(
        "columns", "windowed ls, lmfit Gaussian2dModel", theirs * 1e3, "ms a column", cores=THREADS, packages=VERSIONS
    )
    for estimator in ("ls", "ml"):
        ours = seconds(lambda name=estimator: fit_windows(images, positions, 9.5, estimator=name)) / 333
        name = "lmfit Gaussian2dModel, least squares"
        record("columns", f"windowed {estimator}", ours * 1e3, "ms a column", reference=name, ratio=theirs / ours,
               cores=THREADS, packages=VERSIONS)  # fmt: skip
        record("columns", f"windowed {estimator}, 333 columns", 1 / ours, "columns a second", cores=THREADS)


def joint() -> None:
    """Fit 64 columns on 128 x 128 px jointly with one width."""
    positions, images = lattice("joint", 64, 128, 15.5, 3.5, 2000, images=16)
    for estimator in ("ls", "ml"):
        theirs = seconds(lambda e=estimator: fit_lmfit(images[0], positions, sigma=3.9, estimator=e, max_shift=7.7), 1)
        name = f"joint {estimator}, 64 columns"
        record("columns", f"{name}, lmfit", theirs, "s an image", cores=THREADS, packages=VERSIONS)
        for count in (1, 16):
            ours = (
                seconds(lambda e=estimator, n=count: fit_images(images[:n], positions, estimator=e, sigma=3.9)) / count
            )
            record("columns", f"{name}, {count} images", ours, "s an image", reference="lmfit, same model",
                   ratio=theirs / ours, cores=THREADS, packages=VERSIONS)  # fmt: skip


def study() -> None:
    """Fit what a job of the study holds: 480 images, at two samplings."""
    for name, *what in (("fine", 64, 160, 19.6, 4.5), ("coarse", 169, 128, 9.8, 2.2)):
        for electrons in (500, 50_000):
            positions, images = lattice(name, *what, electrons, images=480)
            for estimator in ("ls", "ml"):
                ours = seconds(lambda e=estimator, i=images, p=positions: fit_images(i, p, estimator=e), 1)
                job = f"480 {name} images, {what[0]} columns of {electrons} electrons, {estimator}"
                record("columns", job, ours, "s", cores=THREADS)


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    windowed()
    joint()
    study()
