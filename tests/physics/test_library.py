"""The library of cross sections: the few scan points of its means, and sharing its configurations out."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emrestore.errors import EmrestoreError
from emrestore.multislice import Settings, cell_points, detected_fraction, nyquist_step
from emrestore.specimen.named import bulk

A = 3.9242
SMALL = {
    "energy": 300, "semi_angle": 21, "c30": 0, "defocus": 0, "detector_inner": 60, "detector_outer": 120, "gpts": 170,
    "slices_per_cell": 2, "phonon_rms": 0.068,
}  # fmt: skip
SCRIPTS = Path(__file__).parents[2] / "src" / "scripts"
simulate = runpy.run_path(str(SCRIPTS / "simulate_library.py"))["main"]
tabulate = runpy.run_path(str(SCRIPTS / "tabulate_library.py"))["main"]


def library(table, configurations, **changed):
    settings = {"atoms": 2, "scan_points": 5, "settings": SMALL, "species": "Pt", "lattice_constant": A, "cells_xy": 2}
    simulate(table, configurations=configurations, seed=3, **settings | changed)
    return table


def test_the_mean_over_a_column_needs_no_more_points_than_the_image_has_harmonics():
    # the image's band ends at 2 α / λ, so harmonics up to 4 of a/2 = 1.96 Å are in it: 5 points alias none onto the
    # mean, and float32 is left; 4 points alias the fourth. Scanned is the whole cell, as layers of its two kinds of
    # columns differ in depth; the library's scattered points take both in turns
    optics = {key: value for key, value in SMALL.items() if key != "slices_per_cell"}
    settings = Settings(**optics | {"gpts": 86}, slice_thickness=A / 2)
    assert A / 2 / 5 < 2 * nyquist_step(settings) < A / 2 / 4

    def mean(points):
        return detected_fraction(bulk("Pt", A, 1, 2), settings, cell_points(A, 2 * points), A, [1, 2], None).mean(1)

    fine = mean(6)
    assert mean(5) == pytest.approx(fine, rel=1e-5)
    assert (np.abs(mean(4) / fine - 1) > 1e-2).all()


def test_sharing_configurations_out_moves_no_result(tmp_path):
    parts = [library(tmp_path / f"{name}.csv", which) for name, which in (("a", [1, 3]), ("b", [2]), ("c", [1, 2, 3]))]
    tabulate(parts[:2], tmp_path / "shared.csv")
    tabulate(parts[2:], tmp_path / "whole.csv")
    assert (tmp_path / "shared.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    rows, table = pd.read_csv(parts[2]), pd.read_csv(tmp_path / "whole.csv")
    each = rows.set_index(["configuration", "atoms"])["scs"].unstack().to_numpy()
    assert each.shape == (3, 2)
    assert table["scs"].to_numpy() == pytest.approx(each.mean(0), rel=1e-5)
    assert table["scs_se"].to_numpy() == pytest.approx(each.std(0, ddof=1) / np.sqrt(3), rel=1e-5)
    assert (table["configurations"] == 3).all()


def test_what_the_library_refuses(tmp_path):
    with pytest.raises(EmrestoreError, match="set library/scan_points to at least 5"):
        library(tmp_path / "coarse.csv", [0], scan_points=4)
    with pytest.raises(EmrestoreError, match="at least two phonon configurations"):
        tabulate([library(tmp_path / "one.csv", [0])], tmp_path / "table.csv")
