"""Images in and out of files: npy, HDF5, TIFF and PNG, with their pixel size where the file has one.

- npy: no pixel size.
- h5, hdf5: attribute ``pixel_size_angstrom`` (y, x) of the dataset; ``file.h5:name`` names a dataset,
  otherwise the first that can be an image is read.
- tif, tiff: resolution and unit by ImageJ's convention; written as float32 that ImageJ and Fiji open.
- png: 8 and 16 bit grey. Written as 16 bit, one image, with the scale of its grey levels and the pixel size
  as text, so that what was written reads back to within half a grey level.
"""

import contextlib
import json
import math
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emrestore.errors import EmrestoreError

HDF5 = (".h5", ".hdf5")
TIFF = (".tif", ".tiff")
#: Axes of a TIFF file, from the last; three are a stack of planes.
TIFF_AXES = "TZCYX"
SUFFIXES = (".npy", *HDF5, *TIFF, ".png")

#: Å per unit of length that TIFF files name.
ANGSTROM = {
    "pm": 0.01,
    "angstrom": 1.0,
    "å": 1.0,
    "nm": 10.0,
    "um": 1e4,
    "µm": 1e4,
    "micron": 1e4,
    "mm": 1e7,
    "cm": 1e8,
}
ANGSTROM["inch"] = 2.54e8


@dataclass(frozen=True)
class Image:
    """An image or a stack, and what its file says about it.

    Attributes
    ----------
    data
        (..., Y, X), in the file's data type.
    pixel_size
        (y, x) in Å; None where the file does not say.
    """

    data: np.ndarray
    pixel_size: tuple[float, float] | None = None


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to; rename it to ``path`` when the block has ended well.

    After an error, a full disk included, neither ``path`` nor the temporary file is left half-written; what
    was at ``path`` before is still there.

    Parameters
    ----------
    path
        File to write. Its folder must exist.

    Yields
    ------
    Path
        In the same folder and with the same suffix.

    Raises
    ------
    EmrestoreError
        If the file cannot be written (:class:`OSError` in the block).
    """
    path = Path(path)
    temporary = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield temporary
        # the name must never reach the disk before the bytes do
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise EmrestoreError(f"{path} cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def read(path: str | Path) -> Image:
    """Read an image or a stack of images.

    Parameters
    ----------
    path
        File of a known suffix (:data:`SUFFIXES`); ``file.h5:name`` names a dataset of an HDF5 file.

    Returns
    -------
    Image

    Raises
    ------
    EmrestoreError
        If the file is missing, of an unknown kind, truncated, or holds no image.
    """
    check_source(path)
    path, dataset = split_dataset(path)
    try:
        match path.suffix.lower():
            case ".npy":
                image = Image(np.load(path, allow_pickle=False))
            case suffix if suffix in HDF5:
                image = _read_hdf5(path, dataset)
            case suffix if suffix in TIFF:
                image = _read_tiff(path)
            case _:
                image = _read_png(path)
    except EmrestoreError:
        raise
    # what numpy, h5py, tifffile and Pillow raise for files that are not, or no longer, what their names say
    except (
        OSError,
        ValueError,
        EOFError,
        KeyError,
        IndexError,
        TypeError,
        RuntimeError,
        SyntaxError,
        zlib.error,
    ) as error:
        reason = " ".join(str(error).split())[:160]
        raise EmrestoreError(f"{path} cannot be read; it may be truncated or of another kind ({reason})") from error
    if image.data.ndim < 2:
        raise EmrestoreError(f"{path} holds an array of shape {image.data.shape}, not an image")
    return image


def write(path: str | Path, image: Image | np.ndarray) -> None:
    """Write an image or a stack as float32 (PNG: 16 bit); complete, or not there.

    Parameters
    ----------
    path
        File of a known suffix (:data:`SUFFIXES`).
    image
        Real values, (..., Y, X), with or without a pixel size; PNG takes one image.

    Raises
    ------
    EmrestoreError
        If the format is unknown, cannot hold the image, or the file cannot be written.
    """
    path = Path(path)
    image = image if isinstance(image, Image) else Image(image)
    data = np.asarray(image.data, dtype=np.float32)
    check_target(path, data.shape)
    suffix = path.suffix.lower()
    with atomic_path(path) as temporary:
        if suffix == ".npy":
            np.save(temporary, data)
        elif suffix in HDF5:
            _write_hdf5(temporary, Image(data, image.pixel_size))
        elif suffix in TIFF:
            _write_tiff(temporary, Image(data, image.pixel_size))
        else:
            _write_png(temporary, Image(data.reshape(data.shape[-2:]), image.pixel_size))


def read_positions(path: str | Path) -> np.ndarray:
    """Read positions of columns.

    Parameters
    ----------
    path
        A csv file with columns ``x`` and ``y`` (a table that ``emrestore columns`` wrote, for example), or an
        npy file of shape (n, 2).

    Returns
    -------
    numpy.ndarray
        (n, 2) x, y [px], float64.

    Raises
    ------
    EmrestoreError
        If the file is missing or holds no positions.
    """
    path = Path(path)
    if path.suffix.lower() not in (".csv", ".npy"):
        raise EmrestoreError(f"positions are read from csv or npy, not from {path}")
    try:
        if path.suffix.lower() == ".npy":
            positions = np.load(path, allow_pickle=False)
        else:
            import pandas as pd

            positions = pd.read_csv(path)[["x", "y"]].to_numpy()
        positions = positions.astype(np.float64)
    except OSError as error:
        raise EmrestoreError(f"{path} cannot be read ({error.strerror or error})") from error
    except (ValueError, KeyError, EOFError) as error:
        raise EmrestoreError(f"{path} holds no positions: it needs numeric columns x and y [px]") from error
    if positions.ndim != 2 or positions.shape[1] != 2 or not np.isfinite(positions).all():
        raise EmrestoreError(f"{path} holds no positions: it needs finite values of shape (n, 2), x and y [px]")
    return positions


def split_dataset(path: str | Path) -> tuple[Path, str | None]:
    """Split ``file.h5:name`` into file and name of the dataset; the name is None where there is none."""
    match = re.fullmatch(r"(.+\.(?:h5|hdf5)):(.+)", str(path), re.IGNORECASE)
    return (Path(match[1]), match[2]) if match else (Path(path), None)


def check_source(path: str | Path) -> None:
    """Refuse a file to read that is missing, or of unknown kind.

    Raises
    ------
    EmrestoreError
        Saying which.
    """
    path, _ = split_dataset(path)
    check_suffix(path)
    if not path.is_file():
        raise EmrestoreError(f"there is no file {path}")


def check_target(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse a file to write whose kind cannot hold an array of this shape.

    Raises
    ------
    EmrestoreError
        Saying which can.
    """
    check_suffix(path)
    if path.suffix.lower() == ".png" and math.prod(shape) != shape[-1] * shape[-2]:
        raise EmrestoreError(f"a PNG file holds one image, not {shape}; write tif, h5 or npy")
    if path.suffix.lower() in TIFF and len(shape) > len(TIFF_AXES):
        raise EmrestoreError(f"a TIFF file holds {len(TIFF_AXES)} axes at most, not {shape}; write h5 or npy")


def check_suffix(path: Path) -> None:
    """Refuse a file of unknown kind.

    Raises
    ------
    EmrestoreError
        If the suffix is none of :data:`SUFFIXES`.
    """
    if path.suffix.lower() not in SUFFIXES:
        known = ", ".join(suffix[1:] for suffix in SUFFIXES)
        raise EmrestoreError(
            f"{path} is of a kind that emrestore does not know; it knows {known}; save it as TIFF (Fiji, HyperSpy)"
        )


def _read_hdf5(path: Path, name: str | None) -> Image:
    import h5py

    with h5py.File(path, "r") as file:
        if name is None:
            name = file.visititems(lambda key, item: key if _is_image(item) else None)
        item = file.get(name) if name else None
        if not _is_image(item):
            what = f"no image {name!r}" if name else "no image"
            raise EmrestoreError(f"{path} holds {what}; name one of its datasets as {path}:dataset")
        size = item.attrs.get("pixel_size_angstrom")
        return Image(item[()], None if size is None else (float(size[0]), float(size[1])))


def _is_image(item) -> bool:
    """Tell whether an HDF5 item is a numeric dataset of two or more axes."""
    return getattr(item, "ndim", 0) >= 2 and getattr(item.dtype, "kind", "") in "iufb"


def _write_hdf5(path: Path, image: Image) -> None:
    import h5py

    try:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("image", data=image.data)
            if image.pixel_size:
                dataset.attrs["pixel_size_angstrom"] = image.pixel_size
    except RuntimeError as error:  # what h5py raises when a file on a full disk cannot be closed
        raise OSError(" ".join(str(error).split())) from error


def _read_tiff(path: Path) -> Image:
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        if page.samplesperpixel != 1:
            raise EmrestoreError(f"{path} is a colour image; save it as greyscale")
        data = file.asarray()
        unit = (file.imagej_metadata or {}).get("unit")
        if unit is None:
            unit = {2: "inch", 3: "cm"}.get(int(page.resolutionunit), "")
        angstrom = ANGSTROM.get(unit.replace("\\u00B5", "µ").replace("\u03bc", "µ").lower())
        resolution = page.resolution
    if angstrom is None or not all(resolution):
        return Image(data)
    size = (angstrom / resolution[1], angstrom / resolution[0])
    # a pixel of a micron or more is a printer's resolution, not a microscope's
    return Image(data, size if max(size) < 1e4 else None)


def _write_tiff(path: Path, image: Image) -> None:
    """Write as ImageJ does, which keeps no axis of length one."""
    import tifffile

    axes = "ZYX" if image.data.ndim == 3 else TIFF_AXES[-image.data.ndim :]
    calibration = {}
    if image.pixel_size:
        y, x = image.pixel_size
        calibration = {"resolution": (10 / x, 10 / y), "resolutionunit": "NONE"}
    metadata = {"axes": axes, **({"unit": "nm"} if calibration else {})}
    tifffile.imwrite(path, image.data, imagej=True, metadata=metadata, **calibration)


def _read_png(path: Path) -> Image:
    import PIL.Image

    with PIL.Image.open(path) as file:
        file.load()
        if file.mode not in ("L", "I", "I;16", "I;16B"):
            raise EmrestoreError(f"{path} is a PNG of mode {file.mode} (colour or mask); save it as greyscale")
        data, text = np.asarray(file), json.loads(file.info.get("emrestore", "{}"))
    if not text:
        return Image(data.astype(np.uint16) if file.mode != "L" else data)
    size = text["pixel_size_angstrom"]
    return Image((text["offset"] + text["gain"] * data).astype(np.float32), tuple(size) if size else None)


def _write_png(path: Path, image: Image) -> None:
    """Write 16 bit from the image's minimum to its maximum; the file says the scale, and `read` undoes it."""
    import PIL.Image
    import PIL.PngImagePlugin

    low, high = float(image.data.min()), float(image.data.max())
    gain = (high - low) / 65535 or 1.0
    text = PIL.PngImagePlugin.PngInfo()
    text.add_text("emrestore", json.dumps({"offset": low, "gain": gain, "pixel_size_angstrom": image.pixel_size}))
    grey = np.rint((image.data.astype(np.float64) - low) / gain).astype(np.uint16)
    PIL.Image.fromarray(grey).save(path, pnginfo=text)
