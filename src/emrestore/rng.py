"""Addressed randomness: a random stream is named by what it is for, never by the order of calls.

``stream(seed, "pairs", "bulk", 0.1, 500.0, 3)`` is the same stream on every machine, in every process and whatever
else has been drawn before. Adding a dose or a specimen therefore changes no other image. There is no global seed and
no random default anywhere in the library.
"""

import hashlib

import numpy as np

Part = str | int | float


def address(*parts: Part) -> str:
    """Write an address as text, one form per value: ``0.1`` and ``1e-1`` are the same address.

    Parameters
    ----------
    parts
        What the stream is for, from the general to the particular. Floats are written with ``repr`` (shortest text
        that reads back as the same number); an integer and the float of the same value are one address.

    Returns
    -------
    str
        For example ``"pairs/bulk/0.1/500/3"``.

    Raises
    ------
    TypeError
        If a part is neither text nor a number.
    ValueError
        If a part is empty, or contains the separator ``/``.
    """
    words = []
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, str | int | float | np.integer | np.floating):
            raise TypeError(f"an address is made of text and numbers, not {type(part).__name__}")
        if not isinstance(part, str):
            number = float(part)
            part = str(int(number)) if number.is_integer() else repr(number)
        if not part or "/" in part:
            raise ValueError(f"an address part must be non-empty and without '/', not {part!r}")
        words.append(part)
    return "/".join(words)


def stream(seed: int, *parts: Part) -> np.random.Generator:
    """Open the random stream of an address.

    Parameters
    ----------
    seed
        Root seed of the study (config key ``seed``).
    parts
        Address of the stream, see :func:`address`.

    Returns
    -------
    numpy.random.Generator
        A Philox generator keyed by SHA-256 of root seed and address.
    """
    return np.random.Generator(np.random.Philox(key=int.from_bytes(_digest(seed, *parts)[:16], "little")))


def integer_seed(seed: int, *parts: Part) -> int:
    """Give a 31-bit seed for a library that insists on an integer (abTEM's frozen phonons)."""
    return int(stream(seed, *parts).integers(2**31))


def key(seed: int, *parts: Part) -> int:
    """Give the signed 64-bit key of an address, for noise on batches (:mod:`emrestore.distort.noise`)."""
    return int.from_bytes(_digest(seed, *parts)[:8], "little", signed=True)


def _digest(seed: int, *parts: Part) -> bytes:
    return hashlib.sha256(f"{int(seed)}:{address(*parts)}".encode()).digest()
