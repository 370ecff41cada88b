"""Real micrographs: reading a crop, and what can be checked where the truth is not known.

A restoration that keeps all signal and takes away all noise leaves a residual, raw - restored, that is noise. Shot
noise is white; the lag and the jitter of a scan correlate it along x, and not along y where rows err independently. A
residual correlated along y holds signal, or noise that was resampled after the recording; an anticorrelated one is left
where the restored image follows the noise of its pixels. Up-down is the only symmetry of a scanned image: what a
network makes of an image and of the image upside down should be the same. Neither check says that a restoration is
right.
"""

from pathlib import Path

import h5py
import numpy as np

from emrestore.errors import EmrestoreError
from emrestore.workflow import sha256


def read_crop(path: Path, digest: str, image: int, x: int, y: int, edge: int) -> np.ndarray:
    """Read a square of a micrograph from one of the authors' HDF5 files.

    These are written column by column, as by MATLAB: the last two axes of the file's ``x`` are x and y, and are swapped
    here. Unswapped, the streaks of the scan run along y, and the network leaves them.

    Parameters
    ----------
    path, digest
        The file and its SHA-256.
    image
        Number of the micrograph in the file; 0 where there is one alone.
    x, y, edge
        First pixel of the crop on either axis and its edge [px].

    Returns
    -------
    ndarray
        (edge, edge) float32, in grey levels.

    Raises
    ------
    EmrestoreError
        If the file is missing or another, or the crop does not lie within a micrograph.
    """
    if not path.is_file() or sha256(path) != digest:
        raise EmrestoreError(f"{path} is missing or not the file that config 'micrographs/files' names by its SHA-256")
    with h5py.File(path) as file:
        data = file["x"]
        height, width = data.shape[-1], data.shape[-2]
        count = data.size // (height * width)
        if not (0 <= image < count and 0 <= x <= width - edge and 0 <= y <= height - edge):
            raise EmrestoreError(
                f"{path.name} has {count} images of {width} x {height} px; there is no image {image} with {edge} px "
                f"from x = {x} and y = {y} on: mend 'micrographs/panels'"
            )
        whole = data[()].reshape(count, width, height)[image]
    return whole.T[y : y + edge, x : x + edge].astype(np.float32)


def neighbour_correlation(residual: np.ndarray) -> dict[str, float]:
    """Correlate each pixel of a residual with the next along either axis.

    Parameters
    ----------
    residual
        (Y, X).

    Returns
    -------
    dict
        ``along_x`` and ``along_y``, and ``along_x_se`` and ``along_y_se``, the standard errors that they have if pixels
        are independent, whatever the variance of each (products of neighbours are then uncorrelated).
    """
    residual = residual - residual.mean(dtype=np.float64)
    variance = (residual**2).mean()
    found = {}
    for name, products in (
        ("along_x", residual[:, 1:] * residual[:, :-1]),
        ("along_y", residual[1:] * residual[:-1]),
    ):
        found[name] = products.mean() / variance
        found[f"{name}_se"] = np.sqrt((products**2).mean() / products.size) / variance
    return found


def mirror_difference(restored: np.ndarray, upside_down: np.ndarray) -> float:
    """Compare a restored image with what was restored from the image upside down.

    Parameters
    ----------
    restored, upside_down
        (Y, X); the second still upside down.

    Returns
    -------
    float
        Their root mean square difference over the standard deviation of the first.
    """
    return float(np.sqrt(((restored - upside_down[::-1]) ** 2).mean()) / restored.std())
