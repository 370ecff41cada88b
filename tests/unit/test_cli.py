import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

import emrestore
from emrestore import authors, io
from emrestore.cli import app
from emrestore.network import published, weights
from emrestore.network.cgrdn import CGRDN
from emrestore.rng import stream


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command line in an empty folder; gives exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.fixture
def image(tmp_path):
    """A file that holds one calibrated image."""
    counts = stream(0, "test_cli").poisson(20, (24, 32)).astype(np.float32)
    io.write(tmp_path / "a.tif", io.Image(counts, (0.2, 0.2)))
    return counts


@pytest.fixture
def tiny(tmp_path):
    """Weights of a small network."""
    torch.manual_seed(0)
    network = CGRDN(features=8, growth=4, layers=2, blocks=1, groups=1)
    weights.save(network, tmp_path / "tiny.safetensors", {"model": "hrstem"})
    return "tiny.safetensors"


def test_restore_to_a_file(run, image, tiny, tmp_path):
    status, stdout, stderr = run("restore", "a.tif", "-o", "b.h5", "--weights", tiny, "--precision", "fp32")
    assert (status, stdout) == (0, "")
    assert "hrstem, weights tiny.safetensors, fp32" in stderr
    written = io.read(tmp_path / "b.h5")
    np.testing.assert_array_equal(written.data, emrestore.restore(image, weights=tiny, precision="fp32"))
    assert written.pixel_size == pytest.approx((0.2, 0.2))


def test_restore_to_a_folder_keeps_stack_axes(run, image, tiny, tmp_path):
    np.save("s.npy", np.stack([image, image + 1])[:, None].astype(np.uint16))
    status, _, stderr = run("restore", "a.tif", "s.npy", "-o", "out/here", "--weights", tiny, "--fast-axis", "y")
    assert status == 0, stderr
    assert sorted(file.name for file in (tmp_path / "out/here").iterdir()) == ["a.tif", "s.npy"]
    assert np.load("out/here/s.npy").shape == (2, 1, 24, 32)


def test_identity_needs_no_weights(run, image):
    assert run("restore", "a.tif", "-o", "b.npy", "--model", "identity")[0] == 0
    np.testing.assert_array_equal(np.load("b.npy"), image)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a.tif", "-o", "a.tif"], "would overwrite its input"),
        (["a.tif", "-o", "."], "would overwrite its input"),
        (["a.tif", "a.npy", "-o", "b.npy"], "2 images need a folder"),
        (["a.tif", "a.tif", "-o", "out"], "two inputs would be written"),
        (["a.tif", "-o", "b.jpg"], "does not know"),
        (["none.tif", "-o", "b.npy"], "there is no file none.tif"),
        (["a.tif", "-o", "a.tif/b.npy"], "cannot be made a folder"),
        (["a.tif", "-o", "b.npy", "--weights", "none"], "none cannot be read"),
        (["a.tif", "-o", "b.npy", "--model", "stem"], "there is no network 'stem'"),
        (["a.tif", "-o", "b.npy", "--tile", "10"], "a tile must be at least"),
        (["a.tif", "-o", "b.npy", "--prior", "hnest"], "a prior is strong, balanced, honest"),
        (["a.tif", "-o", "b.npy", "--model", "bm3d", "--prior", "honest"], "bm3d is no network"),
        (["a.tif", "-o", "b.npy", "--model", "bm3d", "--weights", "trained"], "bm3d is no network"),
        (["a.tif", "-o", "b.npy", "--model", "identity", "--tile", "600"], "identity is no network"),
        (["a.tif", "-o", "b.npy", "--weights", "published", "--prior", "honest"], "cannot be told"),
        (["a.dm4", "-o", "b.npy"], "save it as TIFF"),
        (["s.npy", "-o", "new/b.png"], "a PNG file holds one image"),
    ],
)
def test_mendable_errors_are_one_sentence(run, image, tmp_path, words, sentence):
    np.save("s.npy", np.stack([image, image]))
    status, stdout, stderr = run("restore", *words)
    assert (status, stdout) == (1, "")
    assert sentence in stderr
    assert stderr.strip().count("\n") <= 1  # the method's line may come first
    assert "Traceback" not in stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", "s.npy"]


def test_one_bad_file_does_not_stop_the_others(run, image, tmp_path):
    np.save("bad.npy", np.full((24, 32), np.nan))
    np.save("good.npy", image)
    status, _, stderr = run("restore", "a.tif", "bad.npy", "good.npy", "-o", "out", "--model", "identity")
    assert status == 1
    assert "bad.npy: 768 pixels are NaN" in stderr
    assert "2 of 3 files are restored" in stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.tif", "good.npy"]


def test_unknown_option_value(run, image):
    assert run("restore", "a.tif", "-o", "b.npy", "--precision", "fp8")[0] == 2


def test_version_and_help(run):
    assert run("--version")[1].strip() == f"emrestore {emrestore.__version__}"
    stdout = run("--help")[1]
    assert all(word in stdout for word in ("restore", "columns", "models", "trace"))


def test_models_are_listed(run, monkeypatch):
    status, stdout, stderr = run("models")
    assert status == 0, stderr
    for model, digest in published.SHA256.items():
        line, *ours = [line for line in stdout.splitlines() if f" {model} " in line]
        path = weights.shipped(model)
        assert len(ours) == (path is not None)
        assert all(weights.read_metadata(path)["tensors_sha256"][:12] in line and "trained" in line for line in ours)
        assert digest[:12] in line
        assert "7,035,521" in line
        assert "GPL-3.0" in line
        assert "verified" in line
    monkeypatch.setattr(authors, "package_folder", lambda: None)
    assert run("models")[1].count("pip install tk_r_em==1.0.4") == 6


def lattice():
    """Columns of a square lattice, pitch 12 px, sigma 2 px, on a background; and their positions."""
    centres = np.stack(np.meshgrid(np.arange(10, 60, 12.0), np.arange(9, 50, 12.0)), axis=-1).reshape(-1, 2)
    centres += stream(0, "lattice").normal(0, 0.3, centres.shape)
    y, x = np.mgrid[:56, :68]
    distance = (x - centres[:, :1, None]) ** 2 + (y - centres[:, 1:, None]) ** 2
    return 5 + 100 * np.exp(-distance / 8).sum(axis=0), centres


def test_columns_are_found_and_fitted(run, tmp_path):
    counts, centres = lattice()
    io.write("lattice.tif", io.Image(counts, (0.2, 0.2)))
    status, _, stderr = run("columns", "lattice.tif", "-o", "columns.csv")
    assert status == 0, stderr
    table = pd.read_csv("columns.csv")
    assert len(table) == len(centres)
    found = table[["x", "y"]].to_numpy()
    nearest = np.linalg.norm(found[:, None] - centres[None], axis=2).min(axis=0)
    assert nearest.max() < 1e-3  # the model is exact and there is no noise; float32 pixels
    np.testing.assert_allclose(table["x_A"], 0.2 * table["x"])

    pd.DataFrame(centres, columns=["x", "y"]).to_csv("start.csv", index=False)
    words = ("columns", "lattice.tif", "-o", "again.csv", "--positions", "start.csv", "--pixel-size", 0.1)
    assert run(*words, "--width", "column", "--estimator", "ml")[0] == 0
    again = pd.read_csv("again.csv")
    np.testing.assert_allclose(again[["x", "y"]], centres, atol=1e-3)
    # volume of a Gaussian, 2 pi sigma^2 height, in Å^2 per pixel
    np.testing.assert_allclose(again["scs"], 2 * np.pi * 2**2 * 100 * 0.1**2, rtol=1e-3)


def test_columns_of_a_restored_image_are_fitted_again_in_the_raw_one(run):
    """What the README shows, on an image whose border cuts through columns so that some fits end outside."""
    counts, _ = lattice()
    expected = counts[3:48, 11:60]
    np.save("raw.npy", stream(0, "again").poisson(expected).astype(np.float32))
    np.save("restored.npy", expected)
    words = ("--pixel-size", 0.1, "--spacing", 12)
    status, _, stderr = run("columns", "restored.npy", "-o", "columns.csv", *words)
    assert status == 0, stderr
    found = pd.read_csv("columns.csv")
    outside = (found[["x", "y"]] < -0.5).any(axis=1)
    assert outside.any()
    good = ~(found["on_bound"] | found["border"]) & found["converged"]
    assert f"{good.sum()} of {len(found)} fits are sound" in stderr
    words = ("--positions", "columns.csv", "--pixel-size", 0.1)
    status, _, stderr = run("columns", "raw.npy", *words, "-o", "new/again.csv")
    assert status == 0, stderr
    again = pd.read_csv("new/again.csv")
    # 100 electrons a pixel at the top, 2500 a column: a few hundredths of a pixel
    assert np.abs(again.loc[good, ["x", "y"]] - found.loc[good, ["x", "y"]]).to_numpy().max() < 0.3
    assert run("columns", "raw.npy", *words, "-o", "alone.csv", "--alone")[0] == 0
    # far outside is a mistake
    found.assign(x=found["x"] + 100).to_csv("far.csv", index=False)
    status, _, stderr = run("columns", "raw.npy", "--positions", "far.csv", "--pixel-size", 0.1, "-o", "no.csv")
    assert (status, "lie outside the image" in stderr) == (1, True)


def test_a_fit_that_suits_no_column_says_what_to_try(run, monkeypatch):
    counts, _ = lattice()
    np.save("a.npy", counts)
    from emrestore.columns import fit

    real = fit.fit_columns
    monkeypatch.setattr(fit, "fit_columns", lambda *words, **more: real(*words, **more).assign(converged=False))
    status, _, stderr = run("columns", "a.npy", "-o", "c.csv", "--pixel-size", 1)
    assert (status, "0 of 20 fits are sound" in stderr, "try --alone" in stderr) == (0, True, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["n.npy", "-o", "c.csv"], "1 pixels are NaN"),
        (["a.tif", "-o", "c.txt"], "written as csv"),
        (["s.npy", "-o", "c.csv"], "holds 2 images"),
        (["r.h5", "-o", "c.csv"], "square pixels"),
        (["a.tif", "-o", "c.csv", "--positions", "none.csv"], "none.csv cannot be read"),
        (["a.tif", "-o", "c.csv", "--positions", "p.npy", "--pixel-size", "-1"], "pixel size"),
    ],
)
def test_columns_refuse_in_one_sentence(run, image, tmp_path, words, sentence):
    np.save("s.npy", np.stack([image, image]))
    np.save("p.npy", np.array([[10.0, 10.0]]))
    np.save("n.npy", np.where(np.arange(32) + np.arange(24)[:, None] == 0, np.nan, image))
    io.write("r.h5", io.Image(image, (0.1, 0.2)))
    status, stdout, stderr = run("columns", *words)
    assert (status, stdout) == (1, "")
    assert sentence in stderr
    assert not (tmp_path / "c.csv").exists()


def test_trace_without_a_study(run):
    status, _, stderr = run("trace", "results/tables/fig03.csv")
    assert status == 1
    assert "run the study first" in stderr
