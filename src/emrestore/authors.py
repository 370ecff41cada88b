"""The authors' PyPI package: where it lies, and its simulated pairs of distorted and undistorted images.

The package ``tk_r_em`` 1.0.4 (GPL-3.0) is found without importing it: its own code needs TensorFlow. Beside trained
generators (:mod:`emrestore.network.published`) and micrographs it holds eight pairs of 256 x 256 pixels for each of
five modalities. Its ``sfr_hrtem.h5`` holds recorded images and no pairs, so HR-TEM has none.
"""

import importlib.util
from pathlib import Path

import h5py
import numpy as np

from emrestore.errors import EmrestoreError
from emrestore.workflow import sha256

PACKAGE = "tk_r_em"
VERSION = "1.0.4"
LICENCE = "GPL-3.0"
HOW_TO_GET = f"pip install {PACKAGE}=={VERSION}"
REINSTALL = f"pip install --force-reinstall --no-deps {PACKAGE}=={VERSION}"
#: SHA-256 of each modality's file of pairs in version 1.0.4.
SHA256 = {
    "hrstem": "aa3fec96cf23665d197e43ca2d970bebd64063e63a32bf750826efd27c779c19",
    "lrstem": "6d5c33b8b0a972b788d13138764376ca4860cc1d7148f6a465400df785c34b04",
    "hrsem": "fd3ad6d00a6676ad88521233ac958a7a5f62f8d46f6b3d334c6eec02b53a47a3",
    "lrsem": "46c8555416ecd4fed584e4336f7d4367e34ac9466435afe8b84cf0e7fd337b41",
    "lrtem": "cd92a7cebaba8e47e28f1b682f585b0e52363f4233579816765ebf03009a79f0",
}


def package_folder() -> Path | None:
    """Give the folder of the installed package, or None; the package is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    return Path(spec.origin).parent if spec and spec.origin else None


def package_file(name: str) -> Path:
    """Give a file or folder of the installed package, ``test_data/exp_hrstem.h5`` for example.

    Raises
    ------
    EmrestoreError
        If the package is not installed.
    """
    folder = package_folder()
    if folder is None:
        raise EmrestoreError(f"the published weights and images come with the package {PACKAGE}: {HOW_TO_GET}")
    return folder / name


def pairs(modality: str) -> tuple[np.ndarray, np.ndarray]:
    """Read the pairs of a modality.

    Parameters
    ----------
    modality
        One of :data:`SHA256`.

    Returns
    -------
    truth, distorted : ndarray
        (8, Y, X) float32 each, in one unit of the authors' choice; axis -1 is the fast scan axis.

    Raises
    ------
    EmrestoreError
        If there are no pairs of this modality, the package is missing, or the file is missing or altered.
    """
    if modality not in SHA256:
        raise EmrestoreError(f"there are no pairs of the authors for {modality!r}, only for {', '.join(SHA256)}")
    path = package_file(f"test_data/sfr_{modality}.h5")
    if not path.is_file():
        raise EmrestoreError(f"{path} is missing; reinstall it: {REINSTALL}")
    if sha256(path) != SHA256[modality]:
        raise EmrestoreError(f"{path} is not the published file (its SHA-256 differs); reinstall it: {REINSTALL}")
    with h5py.File(path) as file:
        # written column by column, (X, Y)
        truth, distorted = (np.ascontiguousarray(file[name][:, 0].swapaxes(1, 2)) for name in "yx")
    return truth, distorted
