"""One look for all figures: colours by method, sizes in print, deterministic files."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

#: Label, colour, marker of each method (colours of Okabe and Ito, safe for colour-blind readers).
METHODS = {
    "raw_ls": ("raw, least squares", "#0072B2", "o"),
    "raw_ml": ("raw, maximum likelihood", "#56B4E9", "s"),
    "published_ls": ("restored (published CGRDN)", "#D55E00", "^"),
    "bm3d_ls": ("BM3D", "#009E73", "D"),
    "trained_ls": ("restored (ours)", "#CC79A7", "v"),
    "honest_ls": ("restored (ours, honest)", "#E69F00", "P"),
}
#: Decades of an axis from which on it is labelled at powers of ten alone.
MANY = 3
#: Share of fits on a bound above which a symbol is open.
ON_BOUND = 0.1
BOUND = ("Cramér–Rao bound (unbiased)", "#000000")

RC = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.2,
    "figure.dpi": 200,
    "savefig.dpi": 200,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "emrestore",
}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Apply the project's style inside a ``with`` block, without a screen."""
    with mpl.rc_context(RC):
        mpl.use("agg")
        yield


def save(figure: Figure, png: Path, pdf: Path) -> None:
    """Write both files without dates, so that equal figures are equal files."""
    figure.savefig(png, format="png", metadata={"Software": None})
    # laid out by now; doing that again takes seconds for a figure of many panels
    figure.set_layout_engine("none")
    figure.savefig(pdf, format="pdf", metadata={"CreationDate": None})
    plt.close(figure)


def panel(axes, letter: str, title: str = "") -> None:
    """Letter and title a panel."""
    axes.set_title(f"({letter}) {title}".rstrip(), loc="left")


def band(axes, rows, x: str, name: str, method: str) -> None:
    """Draw a method's curve with its 95 % interval as error bars; open symbols where the fits ended on a bound.

    A method without rows is not drawn, nor named in the legend.
    """
    if rows.empty:
        return
    label, colour, marker = METHODS[method]
    rows = rows.sort_values(x)
    low, high = rows[name] - rows[f"{name}_low"], rows[f"{name}_high"] - rows[name]
    axes.errorbar(rows[x], rows[name], yerr=[low, high], color=colour, marker=marker, label=label, elinewidth=0.7)
    bound = rows[rows["on_bound"] > ON_BOUND]
    axes.plot(bound[x], bound[name], linestyle="none", marker=marker, markerfacecolor="white", color=colour, zorder=5)


def dose_text(dose: float) -> str:
    """Write a dose, 5e4 e/Å² for example."""
    return f"{dose:.0e} e/Å²".replace("e+0", "e")


def short_label(method: str) -> str:
    """Give a method's label for the title of an image that it restored."""
    return METHODS[method][0].removeprefix("restored (").removesuffix(")")


def log_axis(axis) -> None:
    """Label a logarithmic axis in plain numbers, at 1, 2 and 5 of each decade; over many decades at 1."""

    def label(value: float, _) -> str:
        low, high = sorted(axis.get_view_interval())
        several = high > 10**MANY * low
        return "" if several and round(np.log10(value), 3) % 1 else f"{value:g}"

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(label))
    axis.set_minor_formatter(NullFormatter())


def scale_bar(axes, pixel_size: float, length: float) -> None:
    """Draw a scale bar of ``length`` Å into the lower left corner of an image shown without extent."""
    width = length / pixel_size
    top = axes.get_ylim()[0]
    axes.plot([3, 3 + width], [top - 5, top - 5], color="white", linewidth=2.2, solid_capstyle="butt")
    axes.text(3 + width / 2, top - 7.5, f"{length:g} Å", color="white", ha="center", va="bottom", fontsize=6.5)
