"""Simulate the HAADF image of one frozen-phonon configuration of a specimen that is not periodic."""

from pathlib import Path

import ase.io
import numpy as np
import xarray as xr

from emrestore import store
from emrestore.errors import EmrestoreError
from emrestore.field import aliasing, detected_field, displace_thermally, octant
from emrestore.multislice import check, settings_of
from emrestore.rng import stream
from emrestore.workflow import run

#: Largest error of a point's image that the scan step may leave, relative to its sum.
ALIASING = 0.005


def main(
    structure: Path,
    image: Path,
    *,
    field: str,
    configuration: int,
    multislice: dict,
    sampling: float,
    lattice_constant: float,
    window_gpts: int,
    patch_points: int,
    extent: float,
    scan_step: float,
    symmetric: bool,
    embedded: bool,
    overlap: float,
    seed: int,
) -> None:
    """Write the detected fraction (y, x) at the scan points, NaN where symmetry will complete the image.

    The scan is square, has a point in the middle of the specimen's box, and reaches half the extent from there or more.
    An embedded specimen goes on beyond the box, the others end within it.
    """
    optics = settings_of(multislice, lattice_constant, gpts=window_gpts)
    window = window_gpts * sampling
    check(optics, window)
    aliased = aliasing(optics, scan_step, multislice["source_hwhm"] / np.sqrt(2 * np.log(2)))
    if aliased > ALIASING:
        raise EmrestoreError(
            f"a scan step of {scan_step:g} Å leaves errors of {100 * aliased:.1f} % after the finite source: choose "
            "realistic scan_step smaller"
        )
    atoms = ase.io.read(structure)
    width = atoms.cell.lengths()[0]
    if embedded and extent + window > width:
        raise EmrestoreError(
            f"a scan of {extent:.1f} Å with windows of {window:.1f} Å reaches beyond a crystal {width:g} Å wide: "
            f"choose realistic/{field}/width at least {np.ceil(extent + window):g}"
        )
    atoms = displace_thermally(atoms, optics.phonon_rms, stream(seed, "phonons", field, configuration))

    steps = int(np.ceil(extent / 2 / scan_step))
    offsets = scan_step * np.arange(-steps, steps + 1)
    y, x = np.meshgrid(offsets, offsets, indexing="ij")
    points = np.stack([x.ravel(), y.ravel()], axis=-1)
    fraction = np.full(len(points), np.nan)
    scanned = octant(points, overlap) if symmetric else np.ones(len(points), bool)
    middle = atoms.cell.lengths()[:2] / 2
    fraction[scanned] = detected_field(atoms, optics, points[scanned] + middle, window, patch_points * scan_step)
    dataset = xr.Dataset(
        {"fraction": (("y", "x"), fraction.reshape(x.shape), {"units": "detected fraction"})},
        coords={"y": ("y", offsets + middle[1], {"units": "Å"}), "x": ("x", offsets + middle[0], {"units": "Å"})},
        attrs={"scan_step": scan_step, "aliasing": aliased},
    )
    parameters = {
        "field": field,
        "configuration": configuration,
        "multislice": multislice,
        "window": window,
        "patch_points": patch_points,
        "seed": seed,
    }
    store.write(dataset, image, parameters)


if "snakemake" in globals():
    run(main, snakemake)
