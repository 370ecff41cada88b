"""Galleries of distortions (Figs 12 to 14), drawn from stored panels."""

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.patheffects import withStroke

from emrestore import store
from emrestore.distort.annotation import KINDS
from emrestore.plot.style import scale_bar

#: Width of a figure, gap between panels, height of a title and of a title and the text under the panel [inch].
WIDTH, GAP, TITLE, TEXTS = 180 / 25.4, 0.04, 0.15, 0.42
#: Letters of the text that fit across a figure.
LETTERS = 168
#: Percentile of the clean image that is white in all panels.
WHITE = 99.5
#: Length of the scale bar [Å].
BAR = 5


def gallery_figure(gallery: xr.Dataset, names: Sequence[str], columns: int) -> Figure:
    """Draw panels on the grey scale of the clean one, and under each what was drawn for it.

    Parameters
    ----------
    gallery
        ``results/gallery/{modality}.nc``.
    names
        Which panels, in their order.
    columns
        Panels in a row.
    """
    edge = (WIDTH - (columns - 1) * GAP) / columns
    height = math.ceil(len(names) / columns) * (edge + TEXTS)
    # "none" would last until the first file is written
    figure = plt.figure(figsize=(WIDTH, height), layout=PlaceHolderLayoutEngine(False, False))
    white = np.percentile(gallery["image"].sel(panel="clean"), WHITE)
    made = store.parameters(gallery)["panels"]
    for place, name in enumerate(names):
        row, column = divmod(place, columns)
        left, bottom = column * (edge + GAP), height - row * (edge + TEXTS) - TITLE - edge
        axis = figure.add_axes((left / WIDTH, bottom / height, edge / WIDTH, edge / height))
        axis.imshow(gallery["image"].sel(panel=name), cmap="gray", vmin=0, vmax=white, interpolation="none")
        axis.set_axis_off()
        title = name.replace("_", " ").replace("mtf", "MTF")
        axis.set_title(f"({chr(ord('a') + place)}) {title}", loc="left", fontsize=7, pad=2)
        if name == "clean":
            text = f"black: 0, white: {white:.0f} e/px"
        elif name == "combined":
            text = "all effects together, ranges of the study"
        else:
            text = describe(made[name]["kinds"][name], made[name]["parameters"][name], gallery.attrs["dose"])
        text = textwrap.fill(text.replace(" × ", "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}"), LETTERS // columns)
        axis.annotate(text, (0, 0), (0, -2), "axes fraction", "offset points", va="top", fontsize=6, linespacing=1.1)
    first = figure.axes[0]
    scale_bar(first, gallery.attrs["pixel_size"], BAR)
    for artist, width in ((first.lines[-1], 3.4), (first.texts[-1], 1.2)):
        artist.set_path_effects([withStroke(linewidth=width, foreground="black")])
    return figure


def describe(kind: str, parameters: dict, dose: float) -> str:
    """Put the drawn parameters of an effect into words.

    Parameters
    ----------
    kind
        Key of :data:`emrestore.distort.chain.EFFECTS`.
    parameters
        Numbers of one image, and lists of them.
    dose
        Mean dose [electrons per pixel], which is all that shot noise depends on.
    """
    return _WORDS[kind](parameters | {"dose": dose})


def _span(values: Iterable[float]) -> str:
    """Give the least and the greatest value, or the only one."""
    low, high = (f"{value:.2g}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _jitter(p: dict) -> str:
    moved = [axis for axis in "xy" if p[f"sigma_{axis}"] > 0]
    sigma, phi = (_span([p[f"{name}_{axis}"] for axis in moved]) for name in ("sigma", "phi"))
    return f"σ = {sigma} px, φ = {phi}"


def _dark_current(p: dict) -> str:
    hot = f", {100 * p['hot_fraction']:.2g} % hot" if p["hot_fraction"] else ""
    return f"{p['mean']:.2g} ± {p['deviation']:.2g} e/px{hot}"


def _photomultiplier(p: dict) -> str:
    return f"pulses: 1 ± {p['width']:.2g} e" if p["per_electron"] else f"σ = {p['width']:.2g} anode e"


def _fast_scan(p: dict) -> str:
    times = {name: f"{p[name] * p['dwell_time']:.2g}" for name in ("detector", "decay", "period")}
    text = f"dwell {p['dwell_time']:.2g}, HWHM {times['detector']} µs"
    return f"{text}, decay {times['decay']}, period {times['period']} µs" if p["readout"] else text


def _row_lines(p: dict) -> str:
    factors = [factor for factor, length in zip(p["factor"], p["length"], strict=True) if length]
    return f"{len(factors)} lines, × {_span(factors)}"


def _spots(p: dict) -> str:
    spots = [number for number, steps in enumerate(p["steps"]) if steps >= 0]
    steps = [p["steps"][number] for number in spots]
    walks = f"{len(spots)} walks of {_span(steps)} steps" if any(steps) else f"{len(spots)} pixels"
    if any(p.get("level", [])):
        return f"{walks}, + {_span([p['level'][number] for number in spots])} e"
    return f"{walks}, × {_span([p['factor'][number] for number in spots])}"


def _interpolation(p: dict) -> str:
    # the drawn matrix taken apart: rows cos, -sin over the scale along y, and the other over that along x
    scale_y = 1 / math.hypot(p["yy"], p["yx"])
    scale_x = 1 / (scale_y * (p["yy"] * p["xx"] - p["yx"] * p["xy"]))
    angle = math.atan2(-p["yx"], p["yy"])
    shear = scale_x * (p["xy"] * math.cos(angle) - p["xx"] * math.sin(angle))
    return f"{math.degrees(angle):.0f}°, x × {scale_x:.2f}, y × {scale_y:.2f}, shear {shear:.2g}"


def _annotations(p: dict) -> str:
    counts = [(p["kind"].count(number), kind) for number, kind in enumerate(KINDS)]
    return ", ".join(f"{kind} × {count}" for count, kind in counts if count)


def _cropping(p: dict) -> str:
    if p["angle"]:
        return f"borders at {math.degrees(p['angle']):.0f}° to the edges"
    return f"borders of {_span([p[side] for side in ('top', 'bottom', 'left', 'right')])} px"


def _sigma(p: dict) -> str:
    return f"σ = {p['sigma']:.2g} e/px"


_WORDS: dict[str, Callable[[dict], str]] = {
    "mtf": lambda p: f"a {p['a']:.2g}, b {p['b']:.2g}, c {p['c']:.2g} Nyquist",
    "jitter": _jitter,
    "shot": lambda p: f"{p['dose']:.3g} e/px",
    "fixed_pattern": lambda p: f"σ = {100 * p['sigma']:.2g} % of gain",
    "dark_current": _dark_current,
    "thermal": _sigma,
    "flicker": _sigma,
    "reset": _sigma,
    "photomultiplier": _photomultiplier,
    "fast_scan": _fast_scan,
    "row_lines": _row_lines,
    "black_pixels": _spots,
    "zingers": _spots,
    "saturation": lambda p: f"above {p['level']:.3g} e/px",
    "rectification": lambda p: f"negative values {'change sign' if p['folded'] else 'become zero'}",
    "quantisation": lambda p: f"steps of {p['step']:.3g} e/px",
    "interpolation": _interpolation,
    "blur": lambda p: f"σ = {p['sigma']:.2g} px",
    "annotations": _annotations,
    "cropping": _cropping,
}
