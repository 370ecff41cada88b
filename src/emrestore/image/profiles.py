"""Radial profiles of atoms in an incoherent image (Eqs 17 to 22)."""

import functools
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emrestore.errors import EmrestoreError

HEAVIEST = 103


@dataclass(frozen=True)
class Ranges:
    """What the profiles of one specimen are drawn from.

    Attributes
    ----------
    exponent
        α of Eqs 18 to 20, which spreads or narrows the radii of the elements.
    order
        n of Eq. 17's Butterworth term.
    weight
        h1, h2, h3 of Eq. 17.
    power
        γ of the rule that intensity grows as Z^γ (text below Eq. 22).
    ordering
        How Eq. 22 is met. The ranges of h cannot meet it by themselves, since radii differ more than weights do:
        ``"sorted"`` gives the drawn intensities to the elements in the order of Z; ``"power"`` sets them to Z^γ.
    """

    exponent: tuple[float, float]
    order: tuple[float, float]
    weight: tuple[float, float]
    power: tuple[float, float]
    ordering: str


@dataclass(frozen=True)
class Profiles:
    """One profile per element of a specimen, (S,) each, in the order of ``numbers``.

    Attributes
    ----------
    numbers
        Atomic numbers, ascending.
    radius
        r_m [Å].
    order
        n.
    weights
        (S, 3) h1, h2, h3, scaled so that intensities keep the order of Z.
    """

    numbers: np.ndarray
    radius: np.ndarray
    order: np.ndarray
    weights: np.ndarray

    def __call__(self, r: np.ndarray) -> np.ndarray:
        """Evaluate Eq. 17 at radii [Å]: (...) to (S, ...)."""
        shape = (-1, *[1] * np.ndim(r))
        x = np.asarray(r) / self.radius.reshape(shape)
        h1, h2, h3 = (self.weights[:, place].reshape(shape) for place in range(3))
        # a large power overflows to infinity, and its term to zero, as it should
        with np.errstate(over="ignore"):
            edge = 1 / (1 + x ** (2 * self.order.reshape(shape)))
        return h1 * np.exp(-(x**2) / 2) + h2 * np.exp(-x) + h3 * edge

    def only(self, kind: int) -> "Profiles":
        """Give the profile of one element, by its place."""
        one = slice(kind, kind + 1)
        return Profiles(self.numbers[one], self.radius[one], self.order[one], self.weights[one])

    def intensity(self) -> np.ndarray:
        """Integrate over the plane in closed form, (S,) [Å²]."""
        return 2 * np.pi * self.radius**2 * (self.weights @ np.ones(3) + self.weights[:, 2] * (_edge(self.order) - 1))


def _edge(order: np.ndarray) -> np.ndarray:
    """Integral of x / (1 + x^2n) over x from 0 to infinity."""
    return (np.pi / (2 * order)) / np.sin(np.pi / order)


@functools.cache
def potential_radii() -> np.ndarray:
    """Give the root-mean-square radius of the projected potential of Z = 1 to 103 [Å], Eq. 21.

    In closed form from the parameters of Lobato and Van Dyck (Acta Cryst. A 70, 2014), which abTEM's package holds:
    with f = Σ a (2 + b g²) / (1 + b g²)², <r²> = 3 Σ a b / (2 π² Σ a).
    """
    folder = importlib.util.find_spec("abtem").submodule_search_locations[0]
    table = json.loads((Path(folder) / "parametrizations/data/lobato.json").read_text(encoding="utf-8"))
    from ase.data import chemical_symbols

    a, b = np.array([table[symbol] for symbol in chemical_symbols[1 : HEAVIEST + 1]]).transpose(1, 0, 2)
    return np.sqrt(3 * (a * b).sum(1) / (2 * np.pi**2 * a.sum(1)))


def radii(exponent: float) -> np.ndarray:
    """Give r_m of Z = 1 to 103 [Å], Eqs 18 to 20: mean and standard deviation over the elements stay."""
    plain = potential_radii()
    bent = plain**exponent
    scale = plain.std() / bent.std()
    return scale * bent + plain.mean() - scale * bent.mean()


def sample(ranges: Ranges, numbers: np.ndarray, generator: np.random.Generator) -> tuple[Profiles, dict]:
    """Draw profiles for the elements of a specimen.

    Parameters
    ----------
    ranges
        What to draw from.
    numbers
        Atomic numbers, in any order and number.
    generator
        Stream.

    Returns
    -------
    profiles : Profiles
        With intensities that strictly grow with Z.
    parameters : dict
        ``exponent`` and ``power`` as drawn.
    """
    numbers = np.unique(numbers)
    exponent, power = generator.uniform(*ranges.exponent), generator.uniform(*ranges.power)
    order = generator.uniform(*ranges.order, len(numbers))
    weights = generator.uniform(*ranges.weight, (len(numbers), 3))
    drawn = Profiles(numbers, radii(exponent)[numbers - 1], order, weights)
    intensity = drawn.intensity()
    wanted = np.sort(intensity)
    if ranges.ordering == "power":
        wanted = wanted[-1] * (numbers / numbers[-1]) ** power
    scaled = weights * (wanted / intensity)[:, None]
    return Profiles(numbers, drawn.radius, order, scaled), {"exponent": exponent, "power": power}


def check(ranges: Ranges) -> None:
    """Refuse ranges that give no profile.

    Raises
    ------
    EmrestoreError
        Naming the field.
    """
    for name, least in (("exponent", 0), ("order", 1), ("weight", 0), ("power", 0)):
        low, high = getattr(ranges, name)
        if not least < low <= high:
            raise EmrestoreError(f"'{name}' must be a range above {least}, not {low} to {high}")
    if ranges.ordering not in ("sorted", "power"):
        raise EmrestoreError(f"'ordering' must be sorted or power, not {ranges.ordering!r}")
