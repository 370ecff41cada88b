"""Sample panels: what a network in training makes of fixed crops."""

import numpy as np

#: Pixels between panels, and their grey.
GAP, GREY = 2, 255


def sample_panels(images: np.ndarray) -> np.ndarray:
    """Put crops side by side: a row each, distorted, restored, undistorted, on the undistorted one's grey scale.

    Parameters
    ----------
    images
        (N, 3, Y, X).

    Returns
    -------
    numpy.ndarray
        uint8, (N (Y + 2) - 2, 3 (X + 2) - 2).
    """
    truth = images[:, -1]
    low, high = (end(axis=(1, 2))[:, None, None, None] for end in (truth.min, truth.max))
    grey = np.clip((images - low) / np.maximum(high - low, np.finfo(np.float32).tiny), 0, 1) * 255
    framed = np.pad(grey.round(), ((0, 0), (0, 0), (0, GAP), (0, GAP)), constant_values=GREY).astype(np.uint8)
    rows, columns, height, width = framed.shape
    return framed.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)[:-GAP, :-GAP]
