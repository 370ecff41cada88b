import subprocess
import sys

import h5py
import numpy as np
import PIL.Image
import pytest
import tifffile

from emrestore import io
from emrestore.errors import EmrestoreError
from emrestore.rng import stream

STACKS = ("npy", "h5", "hdf5", "tif", "tiff")


def noise(*shape):
    return stream(0, "test_io", *shape).normal(100, 10, shape).astype(np.float32)


@pytest.mark.parametrize("suffix", STACKS)
@pytest.mark.parametrize("shape", [(12, 16), (3, 12, 16), (1, 12, 16), (2, 3, 12, 16), (2, 3, 4, 12, 16)])
def test_round_trip_is_exact(tmp_path, suffix, shape):
    image = noise(*shape)
    io.write(tmp_path / f"a.{suffix}", image)
    again = io.read(tmp_path / f"a.{suffix}").data
    assert again.dtype == np.float32
    # a TIFF file keeps no axis of length one
    np.testing.assert_array_equal(again, image.squeeze() if suffix.startswith("tif") else image, strict=True)
    assert [file.name for file in tmp_path.iterdir()] == [f"a.{suffix}"]


@pytest.mark.parametrize("suffix", ["h5", "tif", "png"])
@pytest.mark.parametrize("size", [(0.1, 0.1), (0.0873, 0.12), (54.3, 54.3)])
def test_pixel_size_is_kept(tmp_path, suffix, size):
    io.write(tmp_path / f"a.{suffix}", io.Image(noise(12, 16), size))
    # TIFF keeps a fraction of two 32-bit integers
    assert io.read(tmp_path / f"a.{suffix}").pixel_size == pytest.approx(size, rel=1e-6)
    io.write(tmp_path / f"b.{suffix}", noise(12, 16))
    assert io.read(tmp_path / f"b.{suffix}").pixel_size is None


def test_png_reads_back_to_half_a_grey_level(tmp_path):
    image = noise(12, 16)
    io.write(tmp_path / "a.png", image)
    # plus float32's rounding of values of about 100
    assert np.abs(io.read(tmp_path / "a.png").data - image).max() <= 0.5 * np.ptp(image) / 65535 + 1e-5
    io.write(tmp_path / "b.png", np.full((12, 16), 3.5))
    np.testing.assert_array_equal(io.read(tmp_path / "b.png").data, 3.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integer_png_and_tiff_are_read_as_they_are(tmp_path, dtype):
    image = np.arange(12 * 16).reshape(12, 16).astype(dtype) * np.iinfo(dtype).max // 191
    PIL.Image.fromarray(image).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", image)
    for name in ("a.png", "a.tif"):
        read = io.read(tmp_path / name)
        assert read.data.dtype == dtype
        np.testing.assert_array_equal(read.data, image)
        assert read.pixel_size is None


@pytest.mark.parametrize(
    ("unit", "per_pixel"), [("nm", 0.02), ("um", 2e-5), ("\\u00B5m", 2e-5), ("angstrom", 0.2), ("pm", 20)]
)
def test_imagej_calibration(tmp_path, unit, per_pixel):
    options = {"imagej": True, "metadata": {"unit": unit}}
    tifffile.imwrite(tmp_path / "a.tif", noise(12, 16), resolution=(1 / per_pixel, 1 / per_pixel), **options)
    assert io.read(tmp_path / "a.tif").pixel_size == pytest.approx((0.2, 0.2), rel=1e-6)


def test_printing_resolution_is_no_pixel_size(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise(12, 16), resolution=(300, 300), resolutionunit="INCH")
    assert io.read(tmp_path / "a.tif").pixel_size is None


def test_hdf5_datasets(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["a_scalar"] = 1.0
        file["labels"] = np.array([[b"a", b"b"]])
        file["measured/x"] = np.ones((5, 1, 8, 9), np.uint16)
        file["y"] = np.zeros((8, 9))
    assert io.read(path).data.shape == (5, 1, 8, 9)
    assert io.read(f"{path}:y").data.shape == (8, 9)
    assert io.read(f"{path}:measured/x").data.dtype == np.uint16
    for name in ("nothing", "a_scalar", "measured"):
        with pytest.raises(EmrestoreError, match=f"no image '{name}'"):
            io.read(f"{path}:{name}")
    with h5py.File(path, "w") as file:
        file["a"] = 1.0
    with pytest.raises(EmrestoreError, match="holds no image"):
        io.read(path)


@pytest.mark.parametrize("suffix", [*STACKS, "png"])
@pytest.mark.parametrize("part", [0, 0.05, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path, suffix, part):
    path = tmp_path / f"a.{suffix}"
    io.write(path, noise(40, 60))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(EmrestoreError, match="truncated") as error:
        io.read(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", [*STACKS, "png"])
def test_files_of_another_kind_are_refused(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"%PDF-1.7 this is not an image" * 20)
    with pytest.raises(EmrestoreError, match="cannot be read"):
        io.read(path)


def test_nothing_is_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(EmrestoreError, match="cannot be read"):
        io.read(tmp_path / "a.npy")


def test_colour_missing_unknown_and_one_dimensional(tmp_path):
    PIL.Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8, 3), np.uint8), photometric="rgb")
    for name in ("a.png", "a.tif"):
        with pytest.raises(EmrestoreError, match="colour"):
            io.read(tmp_path / name)
    with pytest.raises(EmrestoreError, match="there is no file"):
        io.read(tmp_path / "b.npy")
    with pytest.raises(EmrestoreError, match="it knows npy, h5"):
        io.read(tmp_path / "b.jpg")
    np.save(tmp_path / "c.npy", np.zeros(5))
    with pytest.raises(EmrestoreError, match="not an image"):
        io.read(tmp_path / "c.npy")


def test_write_refuses_what_the_format_cannot_hold(tmp_path):
    with pytest.raises(EmrestoreError, match="one image"):
        io.write(tmp_path / "a.png", noise(2, 8, 8))
    with pytest.raises(EmrestoreError, match="it knows"):
        io.write(tmp_path / "a.jpg", noise(8, 8))
    with pytest.raises(EmrestoreError, match="cannot be written"):
        io.write(tmp_path / "no/a.npy", noise(8, 8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("defect")])
def test_atomic_path_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("before")
    expected = EmrestoreError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected), io.atomic_path(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".txt"
        raise error
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "before")]


@pytest.mark.parametrize("suffix", ["npy", "h5", "tif", "png"])
def test_full_disk_leaves_nothing(tmp_path, suffix):
    # a limit on the size of files makes writing fail as a full disk does, in the middle
    script = f"""
import resource
import numpy as np
from emrestore import io
from emrestore.errors import EmrestoreError
image = np.random.default_rng(0).normal(size=(200, 200))
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
try:
    io.write({str(tmp_path / f"a.{suffix}")!r}, image)
except EmrestoreError as error:
    assert "cannot be written" in str(error), error
else:
    raise SystemExit("written in spite of the limit")
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert list(tmp_path.iterdir()) == []


def test_positions(tmp_path):
    positions = np.array([[1.5, 2.5], [3.0, 4.0]])
    np.save(tmp_path / "a.npy", positions)
    (tmp_path / "a.csv").write_text("label,y,x\na,2.5,1.5\nb,4,3\n")
    for name in ("a.npy", "a.csv"):
        np.testing.assert_array_equal(io.read_positions(tmp_path / name), positions)
    np.save(tmp_path / "b.npy", positions.T[:, :1])
    (tmp_path / "b.csv").write_text("row,column\n1,2\n")
    (tmp_path / "c.csv").write_text("x,y\n1,\n")
    (tmp_path / "d.csv").write_text("x,y\n1,b\n")
    (tmp_path / "e.csv").write_text("")
    for name in ("b.npy", "b.csv", "c.csv", "d.csv", "e.csv"):
        with pytest.raises(EmrestoreError, match="holds no positions"):
            io.read_positions(tmp_path / name)
    for name in ("f.csv", "f.npy"):
        with pytest.raises(EmrestoreError, match="cannot be read"):
            io.read_positions(tmp_path / name)
    with pytest.raises(EmrestoreError, match="csv or npy"):
        io.read_positions(tmp_path / "a.txt")
