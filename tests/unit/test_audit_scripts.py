"""The audit's scripts on a made-up specimen of which everything is known."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emrestore import store
from emrestore.columns.table import fit_stack
from emrestore.metrics import column_errors
from emrestore.pairs import dataset
from emrestore.plot.audit_averaging import averaging_figure
from emrestore.plot.audit_confidence import confidence_figure, sparsification
from emrestore.plot.style import save, style
from emrestore.restore.confidence import ause
from emrestore.rng import stream

SCRIPTS = Path(__file__).parents[2] / "src" / "scripts"
PIXEL_SIZE, PITCH, EDGE, DOSE, REALISATIONS = 0.2, 9.0, 45, 20000, 4
SITES = np.stack(np.meshgrid(np.arange(4.0, 45, PITCH), np.arange(4.0, 45, PITCH)), axis=-1).reshape(-1, 2)
#: Error that all "restored" images share, and what they have beside it, in fractions of the clean peak.
SHARED, NOISE = 0.05, 0.02


def script(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Files of 25 columns: raw images are Poisson counts, restored ones the truth with an error of their own."""
    folder = tmp_path_factory.mktemp("study")
    rng = stream(6, "test_audit_scripts")
    rows, lines = np.mgrid[:EDGE, :EDGE]
    squares = (lines[..., None] - SITES[:, 0]) ** 2 + (rows[..., None] - SITES[:, 1]) ** 2
    fraction = 0.05 * np.exp(-squares / (2 * 2.0**2)).sum(-1)
    expected = fraction * DOSE * PIXEL_SIZE**2
    counts = rng.poisson(expected, (REALISATIONS, EDGE, EDGE)).astype(np.float32)
    columns = pd.DataFrame({"x_site": SITES[:, 0], "y_site": SITES[:, 1], "dx": 0.0, "dy": 0.0, "column": range(25)})
    made = dataset(fraction[None], [0], [DOSE], [(counts, {})], columns, PIXEL_SIZE, PITCH)
    store.write(made, folder / "pairs.nc", {})
    shared = rng.choice([-1, 1], expected.shape)
    restored = expected + expected.max() * (SHARED * shared + NOISE * rng.standard_normal((REALISATIONS, EDGE, EDGE)))
    store.write(made[["counts"]].assign(counts=made.counts.copy(data=restored[None, None])), folder / "restored.nc", {})
    pd.DataFrame({"core": np.hypot(*(SITES - 22).T) < 10}).to_csv(folder / "columns.csv")
    tables = []
    truth = fit_stack(expected[None], SITES, "ls", "shared", "zero").rename(columns={"image": "thickness"})
    for method, images in (("raw", counts), ("published", restored)):
        fits = fit_stack(images, SITES, "ls", "shared", "zero").rename(columns={"image": "realisation"})
        fits = fits.assign(estimator="ls", thickness=0, dose=DOSE)
        errors = column_errors(fits, truth.assign(estimator="ls"), made, 1.0)
        errors["method"] = f"{method}_{errors.pop('estimator').iloc[0]}"
        # both in electrons x px²: relative errors need no more; spreads are divided by the dose
        errors["scs_clean"] /= DOSE
        tables.append(errors.assign(specimen="lattice", sampling="poisson"))
    pd.concat(tables, ignore_index=True).to_parquet(folder / "scores.parquet")
    return folder


def test_averaging_finds_the_error_that_images_share(study):
    out = [study / f"{name}.csv" for name in ("averaging", "frc", "resolution")]
    script("audit_averaging").main(
        [study / "pairs.nc"],
        [study / "restored.nc"],
        [study / "columns.csv"],
        study / "scores.parquet",
        *out,
        conditions=[("lattice", "poisson", ["raw", "published"])],
        border=1.0,
    )
    table, frc, resolution = map(pd.read_csv, out)
    # per condition: one to four images and infinitely many; images by raw and published, columns likewise
    assert len(table) == 5 * 2 * 2 * (1 + 3)
    bias = table[np.isinf(table["images"]) & (table["region"] == "all") & (table["quantity"] == "image")]
    bias = bias.set_index("method")
    # percent of the peak, squared; 729 pixels of cross terms 2 x 5 x 2 / sqrt(4 x 729) = 0.37
    assert bias.loc["published", "mse"] == pytest.approx(25, abs=4 * 0.37)
    assert bias.loc["published", "items"] == 27**2
    assert bias.loc["raw", "mse_low"] < 0 < bias.loc["raw", "mse_high"]
    single = table[(table["images"] == 1) & (table["quantity"] == "image") & (table["region"] == "all")]
    single = single.set_index("method")
    assert single.loc["published", "share"] == pytest.approx(25 / 29, abs=0.02)
    # a mean variance of the mean's electrons, in percent of the peak's squared; 4 x 729 squares of counts of variance
    # 2 (and more where there are few electrons)
    inner = store.read(study / "pairs.nc").clean.values[0, 9:36, 9:36]
    shot = 100**2 * inner.mean() / (0.05**2 * DOSE * PIXEL_SIZE**2)
    assert single.loc["raw", "mse"] == pytest.approx(shot, rel=4 * np.sqrt(4 / 4 / 729))
    mean = frc.groupby("method")["common"].mean()
    assert abs(mean["raw"]) < 0.1
    assert mean["published"] > 0.5
    assert set(resolution["threshold"]) == {"1/7", "1/2 bit"}
    assert frc["frequency"].max() == pytest.approx(22 / 45 / PIXEL_SIZE, rel=1e-5)
    curves = table[(table["quantity"] == "image") & (table["region"] == "all")]
    with style():
        figure = averaging_figure(curves, frc, {DOSE: inner}, (np.array([13.0, 13.0]), 5.0), PIXEL_SIZE)
        save(figure, study / "a.png", study / "a.pdf")


def test_raw_spreads_are_calibrated_in_units_that_people_read(study):
    confidence, table = study / "confidence.parquet", study / "confidence.csv"
    script("audit_confidence").main(
        [],
        [study / "pairs.nc"],
        study / "scores.parquet",
        confidence,
        table,
        conditions=[("lattice", "poisson")],
        methods={},
        doses=[DOSE],
        realisations=REALISATIONS,
        copies=6,
        width="shared",
        background="zero",
        seed=1,
        tolerance=1.25,
    )
    rows, found = pd.read_parquet(confidence), pd.read_csv(table).set_index("quantity")
    # 9 scored columns in 4 images
    assert len(rows) == 36
    assert (found["n"] == 36).all()
    # least squares without background: 4/3 sigma / sqrt(electrons) an axis, 72 errors; five standard errors
    electrons = 0.05 * DOSE * PIXEL_SIZE**2 * 2 * np.pi * 2.0**2
    expected = 100 * PIXEL_SIZE * 4 / 3 * 2.0 / np.sqrt(electrons)
    spread = np.sqrt((rows[["x_spread", "y_spread"]] ** 2).to_numpy().mean())
    assert spread == pytest.approx(expected, rel=5 / np.sqrt(2 * 360) + 0.03)
    for quantity, errors in (("position", 72), ("scs", 36)):
        assert found.loc[quantity, "ratio"] == pytest.approx(1, abs=5 / np.sqrt(2 * errors))
    with style():
        save(confidence_figure(rows, pd.read_csv(table), 1.25), study / "b.png", study / "b.pdf")


def test_a_verdict_is_a_word_and_decided_where_the_interval_agrees():
    judged = script("audit_confidence").judged
    for low, ratio, high, verdict, decided in (
        (0.9, 1.0, 1.2, "calibrated", True),
        (0.9, 1.0, 1.3, "calibrated", False),
        (1.4, 2.0, 3.0, "too sure", True),
        (0.5, 0.7, 0.9, "too unsure", False),
        (np.nan, np.nan, np.nan, "not measured", True),
    ):
        found = judged({"ratio": ratio, "ratio_low": low, "ratio_high": high}, 1.25)
        assert found == {"verdict": verdict, "decided": decided}


def test_the_area_between_sparsification_curves_is_the_ause():
    rng = stream(6, "test_audit_scripts", "area")
    errors, spreads = rng.exponential(size=(2, 60))
    share, ranked = sparsification(errors, spreads)
    _, oracle = sparsification(errors, errors)
    assert (ranked - oracle).mean() == pytest.approx(ause(errors, spreads))
    assert share[0] == 0
    assert share[-1] == pytest.approx(59 / 60)
    assert ranked[0] == oracle[0] == pytest.approx(1)
    # the last that remains is the surest
    assert ranked[-1] == pytest.approx(errors[spreads.argmin()] / errors.mean())
