"""Pairs of a clean image and its noisy realisations, in electrons per pixel."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
import xarray as xr

from emrestore.distort import noise
from emrestore.distort.chain import Chain, flatten, unflatten
from emrestore.errors import EmrestoreError
from emrestore.rng import Part, key


def expected_counts(fraction: np.ndarray, dose: float, pixel_size: float) -> np.ndarray:
    """Give the expected electrons per pixel: dose x pixel area x detected fraction.

    Parameters
    ----------
    fraction
        (..., Y, X) detected fraction of the incident beam.
    dose
        Incident electrons per area [e/Å²].
    pixel_size
        Edge of a square pixel [Å].

    Raises
    ------
    EmrestoreError
        If dose or pixel size is not positive, or a fraction is negative, above one or not finite.
    """
    if not (dose > 0 and pixel_size > 0):
        raise EmrestoreError(f"dose ({dose} e/Å²) and pixel size ({pixel_size} Å) must be positive")
    if not (np.isfinite(fraction).all() and fraction.min() >= 0 and fraction.max() <= 1):
        raise EmrestoreError("detected fractions must be finite and within 0 and 1; is the image a simulated one?")
    return fraction * (dose * pixel_size**2)


def draw_images(
    expected: np.ndarray, realisations: int, chain: Chain, pixel_size: float, seed: int, *address: Part
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Draw independent recordings of one image, each from its own address.

    Parameters
    ----------
    expected
        (Y, X) expected electrons per pixel.
    realisations
        Number of recordings R.
    chain
        What distorts them, see :func:`emrestore.distort.chain.build`.
    pixel_size
        Edge of a pixel [Å].
    seed
        Root seed.
    address
        What the images are; the realisation's number is added to it.

    Returns
    -------
    images : ndarray
        (R, Y, X) float32, in electrons per pixel.
    parameters : dict
        Arrays with R rows; :func:`replay` makes the images again from them.

    Raises
    ------
    EmrestoreError
        If the chain changes the clean image too, so that the columns would no longer be where they are known to be.
    """
    moved = [name for name, _, effect in chain.effects if effect.both]
    if moved:
        raise EmrestoreError(
            f"pairs for measurements keep their clean image, but '{moved[0]}' changes it; choose another chain for "
            "'pairs/distortions'"
        )
    keys = noise.keys(key(seed, *address), realisations)
    drawn = chain.sample(keys, _repeat(expected, realisations), pixel_size, electrons=1.0)
    parameters = {name: values.numpy() for name, values in flatten(drawn).items()}
    return replay(expected, chain, parameters), parameters


def dataset(
    clean: np.ndarray,
    thicknesses: xr.DataArray | Sequence[int],
    doses: Sequence[float],
    recorded: Sequence[tuple[np.ndarray, dict[str, np.ndarray]]],
    columns: pd.DataFrame,
    pixel_size: float,
    pitch: float,
) -> xr.Dataset:
    """Lay out a file of pairs: clean images, recordings with what distorted each, and the columns in view.

    Parameters
    ----------
    clean
        (T, Y, X) detected fractions.
    thicknesses, doses
        (T,) and (D,) [e/Å²].
    recorded
        What :func:`draw_images` gave for each dose and, within it, each thickness.
    columns
        ``x_site, y_site, dx, dy`` [px] and ``column``, its number in the specimen.
    pixel_size
        Edge of a pixel [Å].
    pitch
        Distance of columns [px].
    """
    condition = ("dose", "thickness", "realisation")

    def stacked(arrays: list[np.ndarray]) -> np.ndarray:
        return np.stack(arrays).reshape(len(doses), len(clean), *arrays[0].shape)

    return xr.Dataset(
        {
            "clean": (("thickness", "y", "x"), clean, {"units": "detected fraction"}),
            "counts": ((*condition, "y", "x"), stacked([images for images, _ in recorded]), {"units": "electrons"}),
            **{
                name: ((*condition, *(f"{name}.{axis}" for axis in range(values.ndim - 1))), stacked(arrays))
                for name, values in recorded[0][1].items()
                for arrays in [[parameters[name] for _, parameters in recorded]]
            },
            **{
                name: ("column", columns[name].to_numpy(), {"units": "px"}) for name in ("x_site", "y_site", "dx", "dy")
            },
            "cell_column": ("column", columns["column"].to_numpy()),
        },
        coords={"dose": ("dose", list(doses), {"units": "e/Å²"}), "thickness": thicknesses},
        attrs={"pixel_size": pixel_size, "pitch": pitch},
    )


def replay(expected: np.ndarray, chain: Chain, parameters: dict[str, np.ndarray]) -> np.ndarray:
    """Make the images of :func:`draw_images` again from their parameters, to the bit."""
    drawn = unflatten({name: torch.from_numpy(values) for name, values in parameters.items()})
    clean = _repeat(expected, len(drawn["exposure"]["electrons"]))
    return chain.apply(clean, drawn)[1][:, 0].numpy()


def _repeat(expected: np.ndarray, count: int) -> torch.Tensor:
    return torch.from_numpy(expected.astype(np.float32)).expand(count, 1, *expected.shape)
