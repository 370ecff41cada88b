"""From projected specimen to clean intensity (Eqs 23 to 26): inversion, non-linearity, background, contrast."""

from dataclasses import dataclass

import numpy as np

from emrestore.errors import EmrestoreError


@dataclass(frozen=True)
class Ranges:
    """What the intensity steps of one image are drawn from.

    Attributes
    ----------
    inverted
        Probability of inverted contrast (Eq. 23).
    bent
        Probability of a power law (Eq. 24).
    power
        Its exponent β.
    plane
        Probability that the background is a plane; otherwise it is a Gaussian.
    plane_height, gaussian_height
        Height of the background over the greatest intensity.
    gaussian_width
        Standard deviation of a Gaussian background over the shorter side of the image.
    contrast
        Least and greatest standard deviation over mean (above Eq. 25).
    """

    inverted: float
    bent: float
    power: tuple[float, float]
    plane: float
    plane_height: tuple[float, float]
    gaussian_height: tuple[float, float]
    gaussian_width: tuple[float, float]
    contrast: tuple[float, float]


def sample(ranges: Ranges, generator: np.random.Generator) -> dict:
    """Draw the steps of one image, a dict of plain numbers.

    All numbers are drawn whether their step occurs or not, so that no step moves another.
    """
    u = generator.random(6)
    return {
        "inverted": bool(u[0] < ranges.inverted),
        "power": float(generator.uniform(*ranges.power)) if u[1] < ranges.bent else 1.0,
        "background": "plane" if u[2] < ranges.plane else "gaussian",
        "angle": float(2 * np.pi * u[3]),
        "plane_height": float(generator.uniform(*ranges.plane_height)),
        "gaussian_height": float(generator.uniform(*ranges.gaussian_height)),
        "gaussian_width": float(generator.uniform(*ranges.gaussian_width)),
        "centre_x": float(u[4]),
        "centre_y": float(u[5]),
        "contrast": float(generator.uniform(*ranges.contrast)),
        "contrast_range": list(ranges.contrast),
    }


def apply(image: np.ndarray, parameters: dict) -> np.ndarray:
    """Impose the steps in the paper's order.

    Parameters
    ----------
    image
        (Y, X) projected intensity, not negative, not constant.
    parameters
        What :func:`sample` drew.

    Returns
    -------
    ndarray
        (Y, X) float32, from zero or more to a maximum of one. Where the contrast (standard deviation over mean) had to
        be brought into its range, it is the drawn ``contrast``, or the greatest that no negative intensity allows.

    Raises
    ------
    EmrestoreError
        If the image is constant, negative or not finite.
    """
    image = np.asarray(image, float)
    if not np.isfinite(image).all() or image.min() < 0 or image.max() == image.min():
        raise EmrestoreError("a projected image must be finite, not negative and not constant; draw another specimen")
    if parameters["inverted"]:
        image = image.max() - image
    image = (image / image.max()) ** parameters["power"]
    image = image + _background(image.shape, parameters)
    low, high = parameters["contrast_range"]
    if not low <= image.std() / image.mean() <= high:
        # Eq. 25 with c = 1: an offset that gives the wanted ratio, as far down as the darkest pixel allows
        image = image + max(image.std() / parameters["contrast"] - image.mean(), -image.min())
    return (image / image.max()).astype(np.float32)


def _background(shape: tuple[int, int], parameters: dict) -> np.ndarray:
    """Give a plane from zero to its height, or a Gaussian, for an image whose maximum is one."""
    ny, nx = shape
    y, x = np.arange(ny)[:, None], np.arange(nx)
    if parameters["background"] == "plane":
        plane = x * np.cos(parameters["angle"]) + y * np.sin(parameters["angle"])
        return parameters["plane_height"] * (plane - plane.min()) / (plane.max() - plane.min())
    width = parameters["gaussian_width"] * min(ny, nx)
    square = (x - parameters["centre_x"] * (nx - 1)) ** 2 + (y - parameters["centre_y"] * (ny - 1)) ** 2
    return parameters["gaussian_height"] * np.exp(-square / (2 * width**2))


def check(ranges: Ranges) -> None:
    """Refuse ranges that give no intensity.

    Raises
    ------
    EmrestoreError
        Naming the field.
    """
    for name in ("power", "gaussian_width", "contrast"):
        low, high = getattr(ranges, name)
        if not 0 < low <= high:
            raise EmrestoreError(f"'{name}' must be a range above 0, not {low} to {high}")
    for name in ("plane_height", "gaussian_height"):
        low, high = getattr(ranges, name)
        if not 0 <= low <= high:
            raise EmrestoreError(f"'{name}' must be a range from 0 or more, not {low} to {high}")
    for name in ("inverted", "bent", "plane"):
        if not 0 <= getattr(ranges, name) <= 1:
            raise EmrestoreError(f"'{name}' is a probability, between 0 and 1, not {getattr(ranges, name)}")
