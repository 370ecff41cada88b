"""How far images that are sums of radial profiles (Eqs 16, 17) are from multislice images of the same crystals.

Everything is periodic, so both images are compared as Fourier coefficients at the crystal's reflections: a sum of
profiles has the coefficient Σ f(|G|) exp(-2πi G·r) / area, with f the transform of the profile.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt

import ase.build
import numpy as np
import pandas as pd
from ase import Atoms
from scipy import fft, optimize, special, stats
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from emrestore.errors import EmrestoreError
from emrestore.image.profiles import Profiles, Ranges, radii, sample
from emrestore.multislice import Settings, antialiasing_cutoff, check, detected_fraction, wavelength
from emrestore.periodic import broaden, frequencies
from emrestore.rng import integer_seed, stream

#: Projected atoms nearer than this are one column [Å].
TOGETHER = 0.5
#: Probe positions of a configuration, at least, where symmetry leaves fewer points to scan.
PROBES = 18
#: A reflection carries power if its amplitude is this share of the strongest, the centre beam apart.
POWER = 0.1
#: Common factors on all radii that a fit may choose from.
FACTORS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
#: Decades of power beyond which a reflection counts as missing.
MISSING = 2.0


# --- specimens ----------------------------------------------------------------------------------------------------


def _cubic(symbols: str, structure: str, a: float) -> Atoms:
    return ase.build.bulk(symbols, structure, a=a, cubic=True)


def _basis(symbols: str, cell: Sequence[float], places: Sequence[Sequence[float]]) -> Atoms:
    return Atoms(symbols, cell=cell, scaled_positions=places, pbc=True)


def _perovskite(symbols: str, a: float, c: float, b: float = 0.5, apex: float = 0.0, plane: float = 0.5) -> Atoms:
    """A at the corner, then heights of B, of the oxygen above it and of the two beside it, over c."""
    return _basis(symbols, (a, a, c), [(0, 0, 0), (0.5, 0.5, b), (0.5, 0.5, apex), (0.5, 0, plane), (0, 0.5, plane)])


def _faces(symbols: str, a: float, c: float) -> Atoms:
    """Four atoms on the places of fcc: corner, then the faces normal to c, b and a."""
    return _basis(symbols, (a, a, c), [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)])


def _honeycomb(symbols: str, a: float, c: float, rows: Sequence[tuple[int, float]]) -> Atoms:
    """Hexagonal stack in its cell a x √3 a: per atom its site (0, 1, 2 for A, B, C) and its height over c."""
    places = [(0.5 * half, (site / 3 + half / 2) % 1, z) for site, z in rows for half in (0, 1)]
    return _basis(symbols, (a, sqrt(3) * a, c), places)


@dataclass(frozen=True)
class Crystal:
    """A crystal and how it is looked at.

    Attributes
    ----------
    axis
        Zone axis.
    phonon_rms
        Root-mean-square thermal displacement per axis at 300 K [Å], one for all its elements.
    build
        Gives the conventional cell.
    """

    axis: str
    phonon_rms: float
    build: Callable[[], Atoms]


#: One element, from light to heavy; compounds with columns of one element; with mixed columns; layers.
CRYSTALS = {
    "C": Crystal("110", 0.045, lambda: _cubic("C", "diamond", 3.567)),
    "Al": Crystal("100", 0.104, lambda: _cubic("Al", "fcc", 4.050)),
    "Si": Crystal("110", 0.076, lambda: _cubic("Si", "diamond", 5.431)),
    "Fe": Crystal("100", 0.067, lambda: _cubic("Fe", "bcc", 2.867)),
    "Cu": Crystal("100", 0.083, lambda: _cubic("Cu", "fcc", 3.615)),
    "Ag": Crystal("100", 0.095, lambda: _cubic("Ag", "fcc", 4.086)),
    "W": Crystal("100", 0.045, lambda: _cubic("W", "bcc", 3.165)),
    "Pt": Crystal("100", 0.068, lambda: _cubic("Pt", "fcc", 3.924)),
    "Au": Crystal("100", 0.088, lambda: _cubic("Au", "fcc", 4.078)),
    "MgO": Crystal("110", 0.062, lambda: _cubic("MgO", "rocksalt", 4.212)),
    "NaCl": Crystal("110", 0.140, lambda: _cubic("NaCl", "rocksalt", 5.640)),
    "PbS": Crystal("110", 0.110, lambda: _cubic("PbS", "rocksalt", 5.936)),
    "GaAs": Crystal("110", 0.090, lambda: _cubic("GaAs", "zincblende", 5.653)),
    "NiAl": Crystal("100", 0.075, lambda: _cubic("NiAl", "cesiumchloride", 2.887)),
    "FePt": Crystal("100", 0.070, lambda: _faces("Fe2Pt2", 3.852, 3.713)),
    "CeO2": Crystal("110", 0.065, lambda: _cubic("CeO2", "fluorite", 5.411)),
    "SrTiO3": Crystal("100", 0.080, lambda: _perovskite("SrTiO3", 3.905, 3.905)),
    "BaTiO3": Crystal("100", 0.075, lambda: _perovskite("BaTiO3", 3.992, 4.036, 0.522, -0.023, 0.489)),
    "PbTiO3": Crystal("100", 0.095, lambda: _perovskite("PbTiO3", 3.904, 4.152, 0.538, 0.112, 0.617)),
    "KTaO3": Crystal("100", 0.070, lambda: _perovskite("KTaO3", 3.989, 3.989)),
    "Cu3Au": Crystal("100", 0.080, lambda: _faces("AuCu3", 3.748, 3.748)),
    "graphite": Crystal("001", 0.060, lambda: _honeycomb("C8", 2.461, 6.708, [(0, 0), (1, 0), (0, 0.5), (2, 0.5)])),
    "MoS2": Crystal(
        "001", 0.070,
        lambda: _honeycomb(
            "Mo2S4Mo2S4", 3.161, 12.295, [(0, 0.25), (1, 0.123), (1, 0.377), (1, 0.75), (0, 0.623), (0, 0.877)]
        ),
    ),
}  # fmt: skip

#: Lattice vectors that become x, y and z, in units of the conventional cell.
AXES = {
    "100": ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
    "110": ((0, 0, 1), (0.5, -0.5, 0), (0.5, 0.5, 0)),
    "001": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}


def cell_of(name: str) -> Atoms:
    """Build the orthogonal cell of a crystal with the beam along +z, an atom of its first layer at x = y = 0.

    Raises
    ------
    EmrestoreError
        If there is no such crystal.
    """
    if name not in CRYSTALS:
        raise EmrestoreError(
            f"there is no crystal '{name}' (emrestore.realism.CRYSTALS); choose of {', '.join(CRYSTALS)}"
        )
    crystal = CRYSTALS[name]
    a, b, c = AXES[crystal.axis]
    cell = ase.build.cut(crystal.build(), a=a, b=b, c=c)
    cell.set_cell(cell.cell.standard_form()[0], scale_atoms=True)
    cell.positions -= cell.positions[np.lexsort((cell.positions[:, 2],))[0]]
    cell.wrap(eps=1e-3)
    # no thermal displacement takes the first layer out of the first slice
    cell.positions[:, 2] += 0.5
    return cell


# --- multislice ---------------------------------------------------------------------------------------------------


def orbits(cell: Atoms, shape: tuple[int, int]) -> np.ndarray:
    """Number the scan points of one cell so that points alike in projection have one number, (Y * X,).

    Mirrors through the origin, the exchange of x and y, and translations by half a cell are looked for. That layers
    are exchanged along the beam is left out of account: a change of focus of less than a cell.
    """
    ny, nx = shape
    y, x = np.meshgrid(np.arange(ny), np.arange(nx), indexing="ij")
    place = cell.get_scaled_positions()[:, :2]
    u, v = place.T
    half = np.full_like(u, 0.5)
    candidates = [(-u, v, -x, y), (u, -v, x, -y)]
    if ny % 2 == 0:
        candidates.append((u, v + half, x, y + ny // 2))
    if nx % 2 == 0:
        candidates.append((u + half, v, x + nx // 2, y))
    if ny % 2 == 0 and nx % 2 == 0:
        candidates.append((u + half, v + half, x + nx // 2, y + ny // 2))
    if ny == nx and np.isclose(*cell.cell.lengths()[:2], rtol=1e-6):
        candidates.append((v, u, y, x))
    edges = np.arange(ny * nx)[:, None]
    for new_u, new_v, new_x, new_y in candidates:
        distance = np.stack([new_u, new_v], -1)[:, None] - place
        near = (np.abs(distance - np.rint(distance)) < 1e-4).all(-1)
        # each atom finds as many of its kind where it goes as where it comes from
        old = (np.abs((place[:, None] - place) - np.rint(place[:, None] - place)) < 1e-4).all(-1)
        kinds = cell.numbers[:, None] == np.unique(cell.numbers)
        if (near.astype(int) @ kinds == old.astype(int) @ kinds).all():
            edges = np.hstack([edges, ((new_y % ny) * nx + new_x % nx).reshape(-1, 1)])
    start = np.repeat(edges[:, 0], edges.shape[1])
    graph = coo_array((np.ones(edges.size), (start, edges.ravel())), shape=(ny * nx, ny * nx))
    return connected_components(graph, directed=False)[1]


@dataclass(frozen=True)
class Sizes:
    """Numerical settings.

    Attributes
    ----------
    width
        Least edge of the supercell [Å].
    step
        Largest scan step [Å].
    slice_thickness
        Largest slice thickness [Å].
    configurations
        Frozen-phonon configurations at each thickness, none more than at a thinner one: thin crystals hold fewer atoms
        to average over.
    """

    width: float
    step: float
    slice_thickness: float
    configurations: Sequence[int]


def multislice_images(
    name: str, optics: dict, thicknesses: Sequence[float], sizes: Sizes, seed: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Simulate one period of a crystal's HAADF image at several thicknesses.

    Parameters
    ----------
    name
        Crystal.
    optics
        ``energy``, ``semi_angle``, ``c30``, ``defocus``, ``detector_inner``, ``detector_outer`` as in
        :class:`emrestore.multislice.Settings`, and ``source_hwhm`` [Å].
    thicknesses
        Thicknesses [nm], increasing; the nearest whole number of cells is taken, at least one.
    sizes
        Numerical settings. The grid is the smallest that fills the detector.
    seed
        Root seed.

    Returns
    -------
    images : list of ndarray
        Per thickness (configurations, Y, X) detected fraction, broadened by the source.
    cells : ndarray
        (thicknesses,) unit cells along the beam.

    Raises
    ------
    EmrestoreError
        If there is no such crystal, or ``sizes.configurations`` is not one number per thickness, none growing.
    """
    wanted = np.asarray(sizes.configurations)
    if len(wanted) != len(thicknesses) or (np.diff(wanted) > 0).any() or wanted[-1] < 1:
        raise EmrestoreError(
            f"'configurations' must be one number per thickness, never growing and at least 1, not {list(wanted)}"
        )
    cell = cell_of(name)
    edges = cell.cell.lengths()
    cells = np.maximum(1, np.rint(10 * np.asarray(thicknesses) / edges[2])).astype(int)
    repeats = np.ceil(sizes.width / edges[:2] - 1e-6).astype(int)
    longest = float((repeats * edges[:2]).max())
    source_hwhm = optics["source_hwhm"]
    optics = {key: value for key, value in optics.items() if key != "source_hwhm"}
    thickness = edges[2] / ceil(edges[2] / sizes.slice_thickness)
    settings = Settings(**optics, gpts=3, slice_thickness=thickness, phonon_rms=CRYSTALS[name].phonon_rms)
    needed = (settings.detector_outer + settings.semi_angle) / antialiasing_cutoff(settings, longest)
    settings = replace(settings, gpts=fft.next_fast_len(ceil(3 * needed), real=True))
    check(settings, longest)

    nx, ny = (2 * ceil(edge / sizes.step / 2) for edge in edges[:2])
    labels = orbits(cell, (ny, nx))
    points = np.stack([np.tile(np.arange(nx), ny) / nx, np.repeat(np.arange(ny), nx) / ny], -1) * edges[:2]
    images = [[] for _ in cells]
    for configuration in range(wanted[0]):
        # of points alike some are taken, at any equivalent places of the supercell: phonons then average over columns
        random = stream(seed, "realism scan", name, configuration)
        chosen = _some_of_each(random.permutation(len(points)), labels, ceil(PROBES / (labels.max() + 1)))
        where = points[chosen] + edges[:2] * random.integers(repeats, size=(len(chosen), 2))
        phonons = integer_seed(seed, "realism phonons", name, configuration)
        series = cells[wanted > configuration]
        atoms = cell * (*repeats, series[-1])
        fractions = detected_fraction(atoms, settings, where, edges[2], series, phonons)
        for found, fraction in zip(images, fractions, strict=False):
            mean = np.bincount(labels[chosen], fraction) / np.bincount(labels[chosen])
            found.append(mean[labels].reshape(ny, nx))
    return [broaden(np.stack(found), tuple(edges[:2]), source_hwhm / sqrt(2 * np.log(2))) for found in images], cells


def _some_of_each(order: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Take the first ``count`` points of each label, in an order of points; all where there are fewer."""
    by_label = order[np.argsort(labels[order], kind="stable")]
    sizes = np.bincount(labels)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return by_label[place < count]


# --- sums of profiles ---------------------------------------------------------------------------------------------


def transforms(profiles: Profiles, g: np.ndarray) -> np.ndarray:
    """Transform profiles over the plane, 2π ∫ profile(r) J0(2π g r) r dr: g (...) [1/Å] to (S, ...) [Å²]."""
    # to 20 radii, where exp(-x) is 2e-9, by Gauss and Legendre on pieces that resolve the edge at r_m
    nodes, weights = np.polynomial.legendre.leggauss(8)
    edges = np.concatenate([np.linspace(0, 2, 21), np.linspace(2.5, 20, 36)])
    x = (edges[:-1, None] + np.diff(edges)[:, None] * (nodes + 1) / 2).ravel()
    weights = (np.diff(edges)[:, None] * weights / 2).ravel()
    values = []
    for kind, radius in enumerate(profiles.radius):
        radial = profiles.only(kind)(radius * x)[0] * radius**2 * x * weights
        unique, inverse = np.unique(np.round(g, 9), return_inverse=True)
        values.append(
            (2 * np.pi * special.j0(2 * np.pi * radius * unique[:, None] * x) @ radial)[inverse.reshape(g.shape)]
        )
    return np.stack(values)


@dataclass(frozen=True)
class Reflections:
    """The coefficients of an image's Fourier series.

    Attributes
    ----------
    g
        (Y, X, 2) frequencies as x, y [1/Å], in the order of ``numpy.fft``.
    kept
        (Y, X) those within the band of probe and scan, the centre included.
    """

    g: np.ndarray
    kept: np.ndarray

    @property
    def length(self) -> np.ndarray:
        """|g| (Y, X) [1/Å]."""
        return np.linalg.norm(self.g, axis=-1)


def reflections(cell: Atoms, shape: tuple[int, int], energy: float, semi_angle: float) -> Reflections:
    """List the reflections of a scan, up to the probe's cut-off 2 α / λ and below the scan's Nyquist frequencies."""
    ny, nx = shape
    fy, fx = frequencies(ny), frequencies(nx)
    edges = cell.cell.lengths()
    g = np.stack(np.broadcast_arrays(fx / edges[0], (fy / edges[1])[:, None]), -1)
    inside = (np.abs(fy) < ny / 2)[:, None] & (np.abs(fx) < nx / 2)
    return Reflections(g, inside & (np.linalg.norm(g, axis=-1) < 2e-3 * semi_angle / wavelength(energy)))


def linear_coefficients(cell: Atoms, profiles: Profiles, where: Reflections) -> np.ndarray:
    """Give the coefficients of Eq. 16 for one cell of thickness, a part per element: (S, Y, X)."""
    phases = np.exp(-2j * np.pi * np.einsum("yxk,nk->nyx", where.g, cell.positions[:, :2]))
    kinds = cell.numbers == profiles.numbers[:, None]
    area = np.prod(cell.cell.lengths()[:2])
    return transforms(profiles, where.length) * np.einsum("sn,nyx->syx", kinds, phases) / area


def fit(
    image: np.ndarray, cell: Atoms, ranges: Ranges, where: Reflections, widest: float, factors: Sequence[float]
) -> tuple[np.ndarray, dict[str, float]]:
    """Fit Eq. 16 by least squares to the contrast: the best that profiles within their ranges can do.

    Free are the exponent and the order (common to the elements, on a grid over their ranges), h1 to h3 of each element
    within their range relative to each other, one amplitude per element, and a common Gaussian blur. The weights that
    this allows are a cone, so they are found exactly, as a sum with no negative term of its corners.

    Parameters
    ----------
    image
        (Y, X) coefficients.
    cell
        The crystal.
    ranges
        Ranges of the profiles.
    where
        The reflections.
    widest
        Largest standard deviation of the blur [Å].
    factors
        Factors on all radii to choose from; ``(1.0,)`` keeps those of Eq. 21.

    Returns
    -------
    fitted : ndarray
        (Y, X) coefficients, with the mean of ``image``.
    parameters : dict
        ``exponent``, ``order``, ``factor`` and ``blur`` [Å].
    """
    numbers = np.unique(cell.numbers)
    kept = where.kept & (where.length > 0)
    target = image[kept].view(float)
    corners = np.array(list(itertools.product(ranges.weight, repeat=3)))
    best = (np.inf, None, None)
    trials = itertools.product(np.linspace(*ranges.exponent, 5), np.geomspace(*ranges.order, 3), factors)
    for exponent, order, factor in trials:
        shape = factor * radii(exponent)[numbers - 1], np.full(len(numbers), order)
        each = [Profiles(numbers, *shape, np.tile(h, (len(numbers), 1))) for h in np.eye(3)]
        terms = np.stack([linear_coefficients(cell, one, where) for one in each], 1)
        parts = np.einsum("ch,shyx->scyx", corners, terms).reshape(-1, *image.shape)
        for blur in np.linspace(0, widest, 5):
            blurred = parts * np.exp(-2 * (np.pi * blur * where.length) ** 2)
            columns = np.ascontiguousarray(blurred[:, kept]).view(float).T
            norms = np.linalg.norm(columns, axis=0)
            amplitudes, residual = optimize.nnls(columns / norms, target / np.linalg.norm(target))
            if residual < best[0]:
                fitted = np.tensordot(amplitudes / norms * np.linalg.norm(target), blurred, 1)
                best = (residual, fitted, {"exponent": exponent, "order": order, "factor": factor, "blur": blur})
    best[1][0, 0] = image[0, 0]
    return best[1:]


# --- comparison ---------------------------------------------------------------------------------------------------


def correlation(one: np.ndarray, other: np.ndarray, where: Reflections) -> float:
    """Pearson correlation of two images over whole cells, from their coefficients (Parseval)."""
    kept = where.kept & (where.length > 0)
    a, b = one[kept], other[kept]
    return float((a * b.conj()).sum().real / (np.linalg.norm(a) * np.linalg.norm(b)))


def spectrum_error(image: np.ndarray, model: np.ndarray, where: Reflections) -> float:
    """Root-mean-square of log10 of the ratio of powers, over the reflections of ``image`` that carry power.

    The model is first scaled to the image by least squares; a ratio counts as at most ``MISSING`` decades.
    """
    kept = where.kept & (where.length > 0)
    kept &= np.abs(image) > POWER * np.abs(image[kept]).max()
    a, b = np.abs(image[kept]), np.abs(model[kept])
    scaled = b * (a * b).sum() / (b * b).sum()
    decades = 2 * np.log10(np.maximum(scaled / a, 1e-9))
    return float(np.sqrt(np.mean(np.clip(decades, -MISSING, MISSING) ** 2)))


@dataclass(frozen=True)
class Columns:
    """Atomic columns of a cell.

    Attributes
    ----------
    positions
        (n, 2) as x, y [Å].
    kinds
        (n,) number of the content of each, into ``contents``.
    contents
        What a kind of column holds in one cell, for example ``"TiO"``.
    radius
        Half the shortest distance between columns [Å].
    """

    positions: np.ndarray
    kinds: np.ndarray
    contents: tuple[str, ...]
    radius: float


def columns_of(cell: Atoms) -> Columns:
    """Find the columns of a cell: atoms that project together."""
    edges = cell.cell.lengths()[:2]
    offset = cell.positions[:, None, :2] - cell.positions[:, :2]
    distance = np.linalg.norm(offset - edges * np.rint(offset / edges), axis=-1)
    labels = connected_components(coo_array(distance < TOGETHER), directed=False)[1]
    first = np.unique(labels, return_index=True)[1]
    symbols = np.array(cell.get_chemical_symbols())
    names = [
        Atoms(list(symbols[labels == label])).get_chemical_formula("metal", empirical=False)
        for label in range(len(first))
    ]
    contents, kinds = np.unique(names, return_inverse=True)
    apart = distance[np.ix_(first, first)]
    # a column's own periodic images count
    nearest = min(edges.min(), apart[apart > 0].min(initial=np.inf))
    return Columns(cell.positions[first, :2], kinds, tuple(map(str, contents)), float(nearest / 2))


def column_intensities(image: np.ndarray, columns: Columns, where: Reflections) -> np.ndarray:
    """Mean intensity in discs of ``columns.radius`` about the columns, averaged by kind: (kinds,)."""
    x = 2 * np.pi * where.length * columns.radius
    disc = np.where(x > 0, 2 * special.j1(x) / np.where(x > 0, x, 1), 1) * where.kept
    phases = np.exp(2j * np.pi * np.einsum("yxk,nk->nyx", where.g, columns.positions))
    discs = np.einsum("nyx,yx->n", phases, image * disc).real
    return np.bincount(columns.kinds, discs) / np.bincount(columns.kinds)


def rank_agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Kendall's tau of intensities by kind of column; NaN where there is one kind."""
    return float(stats.kendalltau(one, other).statistic) if len(one) > 1 else np.nan


def peaked(image: np.ndarray, columns: Columns, where: Reflections) -> np.ndarray:
    """Tell which kinds of column are seen: the intensity curves downwards at their places, on average: (kinds,)."""
    phases = np.exp(2j * np.pi * np.einsum("yxk,nk->nyx", where.g, columns.positions))
    curvature = -np.einsum("nyx,yx->n", phases, image * where.kept * where.length**2).real
    return np.bincount(columns.kinds, curvature) < 0


def compare(
    name: str,
    images: list[np.ndarray],
    cells: np.ndarray,
    optics: dict,
    ranges: Ranges,
    draws: int,
    seed: int,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Compare a crystal's multislice images with sums of profiles, fitted and as drawn.

    Parameters
    ----------
    name
        Crystal.
    images, cells
        As :func:`multislice_images` gives them.
    optics
        As there.
    ranges
        What profiles are drawn from.
    draws
        Draws of profiles.
    seed
        Root seed.

    Returns
    -------
    rows : DataFrame
        One row per thickness.

        ``fraction`` mean detected fraction; ``cross_section`` the same per atom [Å²]; ``linearity`` that over the
        thinnest crystal's, ``linearity_se`` its phonon standard error; ``repeat`` correlation between halves of the
        phonon configurations; ``ratio`` intensity of the dimmest kind of column (``dimmest``) over the brightest's;
        ``hidden`` kinds without a maximum of their own.

        Then ``correlation``, ``spectrum`` (decades), ``tau`` and ``ratio`` of sums of profiles: the best
        (``best_``, see :func:`fit`), the best with one factor on all radii besides (``scaled_``), and medians over
        draws with either ordering of intensities (``sorted_``, ``power_``), with the range of the middle 90 % and the
        share of draws that rank all columns rightly.
    pictures : ndarray
        (thicknesses, 3, Y, X): multislice, best sum, and the sum with all parameters in the middle of their ranges.
    """
    cell = cell_of(name)
    columns = columns_of(cell)
    edges = cell.cell.lengths()
    where = reflections(cell, images[0].shape[-2:], optics["energy"], optics["semi_angle"])
    coefficients = [np.fft.fft2(some) / some[0].size for some in images]
    numbers = np.unique(cell.numbers)
    drawn = {
        ordering: [
            linear_coefficients(cell, sample(replace(ranges, ordering=ordering), numbers, random)[0], where).sum(0)
            for random in (stream(seed, "realism profiles", name, draw) for draw in range(draws))
        ]
        for ordering in ORDERINGS
    }
    middle = linear_coefficients(cell, _middle(ranges, numbers), where).sum(0)
    fractions, errors = np.array([_mean_and_error(some[:, 0, 0].real) for some in coefficients]).T
    linearity = fractions / fractions[0] * cells[0] / cells
    relative = errors / fractions
    linearity_error = linearity * np.where(cells > cells[0], np.hypot(relative, relative[0]), 0)
    source = optics["source_hwhm"] / sqrt(2 * np.log(2))
    rows, pictures = [], []
    for place, (count, configurations) in enumerate(zip(cells, coefficients, strict=True)):
        image = configurations.mean(0)
        best, parameters = fit(image, cell, ranges, where, source, (1.0,))
        scaled, scaled_parameters = fit(image, cell, ranges, where, source, FACTORS)
        intensity = column_intensities(image, columns, where)
        row = {
            "crystal": name,
            "axis": CRYSTALS[name].axis,
            "mean_z": cell.numbers.mean(),
            "elements": len(numbers),
            "kinds": len(columns.contents),
            "thickness": count * edges[2] / 10,
            "fraction": fractions[place],
            "cross_section": fractions[place] * edges[0] * edges[1] / (count * len(cell)),
            "linearity": linearity[place],
            "linearity_se": linearity_error[place],
            "repeat": _repeat(configurations, where),
        }
        for label, models in {"scaled": [scaled], "best": [best], **drawn}.items():
            scores = np.array([_scores(image, intensity, model, columns, where) for model in models])
            row |= {f"{label}_{key}": part for key, part in zip(SCORES, np.median(scores, 0), strict=True)}
            if label in ORDERINGS:
                low, high = np.quantile(scores[:, 0], [0.05, 0.95])
                row |= {f"{label}_correlation_low": low, f"{label}_correlation_high": high}
                row[f"{label}_ranks_right"] = np.mean(scores[:, 2] == 1) if len(intensity) > 1 else np.nan
        row["ratio"] = _ratio(intensity)
        row["dimmest"] = columns.contents[int(intensity.argmin())] if len(intensity) > 1 else ""
        seen = peaked(image, columns, where)
        row["hidden"] = " ".join(kind for kind, shown in zip(columns.contents, seen, strict=True) if not shown)
        row |= {f"best_{key}": part for key, part in parameters.items() if key != "factor"}
        rows.append(row | {f"scaled_{key}": part for key, part in scaled_parameters.items()})
        scale = (image * middle.conj())[where.kept].real.sum() / (np.abs(middle[where.kept]) ** 2).sum()
        pictures.append([_picture(one, where) for one in (image, best, scale * middle)])
    return pd.DataFrame(rows), np.array(pictures)


SCORES = ("correlation", "spectrum", "tau", "ratio")
#: How drawn intensities are made to grow with Z, see :class:`emrestore.image.profiles.Ranges`.
ORDERINGS = ("sorted", "power")


def _scores(image, intensity, model, columns, where) -> tuple[float, ...]:
    other = column_intensities(model, columns, where)
    return (
        correlation(image, model, where), spectrum_error(image, model, where),
        rank_agreement(intensity, other), _ratio(other),
    )  # fmt: skip


def _ratio(intensity: np.ndarray) -> float:
    return float(intensity.min() / intensity.max()) if len(intensity) > 1 else np.nan


def _middle(ranges: Ranges, numbers: np.ndarray) -> Profiles:
    """Profiles with exponent, order and weights in the middle of their ranges, in the order of Z as drawn ones are."""
    point = [(np.mean(pair),) * 2 for pair in (ranges.exponent, ranges.order, ranges.weight, ranges.power)]
    return sample(Ranges(*point, ranges.ordering), numbers, stream(0, "not used: every range is a point"))[0]


def _mean_and_error(values: np.ndarray) -> tuple[float, float]:
    return values.mean(), values.std(ddof=1) / sqrt(len(values)) if len(values) > 1 else np.nan


def _repeat(configurations: np.ndarray, where: Reflections) -> float:
    """Mean correlation between pairs of configurations."""
    pairs = itertools.combinations(configurations, 2)
    return (
        float(np.mean([correlation(one, other, where) for one, other in pairs])) if len(configurations) > 1 else np.nan
    )


def _picture(coefficients: np.ndarray, where: Reflections) -> np.ndarray:
    return np.fft.ifft2(coefficients * where.kept).real * coefficients.size


# --- verdict ------------------------------------------------------------------------------------------------------

#: What a sum of profiles should reach.
LEAST_CORRELATION = 0.9
LARGEST_NONLINEARITY = 0.2
LARGEST_RATIO_ERROR = 2.0


def failures(row: pd.Series) -> str:
    """Name what fails in a row of :func:`compare`, by rule, separated by semicolons.

    ``shape``: even the best sum of any width correlates below 0.9; ``width``: it does with the radii of Eq. 21;
    ``weights``: only as drawn, with intensities that grow as a power of Z; ``order alone``: only as drawn, with
    intensities that are sorted. ``ranks``: the median draw (power of Z) does not rank columns as multislice does;
    ``dim columns``: it has the dimmest columns more than a factor of two off, against the brightest; ``hidden ...``:
    columns without a maximum of their own; ``thickness``: intensity per atom is over 20 % and two standard errors off
    the thinnest crystal's.
    """
    found = []
    for level, rule in (("scaled", "shape"), ("best", "width"), ("power", "weights"), ("sorted", "order alone")):
        if row[f"{level}_correlation"] < LEAST_CORRELATION:
            found.append(rule)
            break
    if row["power_tau"] < 1:
        found.append("ranks")
    if abs(np.log(row["power_ratio"] / row["ratio"])) > np.log(LARGEST_RATIO_ERROR):
        found.append("dim columns")
    if row["hidden"]:
        found.append(f"hidden {row['hidden']}")
    if abs(row["linearity"] - 1) > max(LARGEST_NONLINEARITY, 2 * np.nan_to_num(row["linearity_se"])):
        found.append("thickness")
    return "; ".join(found)


def power_of_z(table: pd.DataFrame) -> pd.DataFrame:
    """Fit cross section ~ Z^γ over crystals of one element: γ and its standard error, a row per nominal thickness."""
    single = table[table["elements"] == 1]
    rows = []
    for nominal, group in single.groupby("nominal"):
        if len(group) > 2:
            line = stats.linregress(np.log(group["mean_z"]), np.log(group["cross_section"]))
            rows.append({"nominal": nominal, "power": line.slope, "power_se": line.stderr, "crystals": len(group)})
    return pd.DataFrame(rows, columns=["nominal", "power", "power_se", "crystals"])
