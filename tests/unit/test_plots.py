"""The figures draw what the tables hold."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from emrestore.distort.theory import MEASUREMENTS
from emrestore.plot.precision import displacement_figure, precision_figure
from emrestore.plot.style import METHODS, band, save, style
from emrestore.plot.theory import PANELS, theory_page


@pytest.fixture
def table():
    rows = []
    for sampling in ("fine", "coarse"):
        for dose in (500.0, 50000.0):
            for place, thickness in enumerate((2, 5, 9)):
                for number, method in enumerate(METHODS):
                    for quantity in ("position", "scs"):
                        std = 10.0 * (number + 1) / (place + 1)
                        row = {"sampling": sampling, "dose": dose, "thickness": thickness, "method": method}
                        row |= {"quantity": quantity, "crlb": 5.0, "bias_rms": 1.0, "on_bound": 0.5 * (place == 0)}
                        row |= {f"{n}{e}": std for n in ("std", "rmse") for e in ("", "_low", "_high")}
                        row |= {f"slope_{a}{e}": 0.5 for a in "xy" for e in ("", "_low", "_high")}
                        rows.append(row | {"displacement": 10.0, "specimen": "displaced_small"})
    return pd.DataFrame(rows)


def test_precision_panels_hold_the_curves(table):
    with style():
        figure = precision_figure(table, {"fine": 0.1, "coarse": 0.2}, [])
        axes = [axis for axis in figure.axes if axis.get_ylabel().startswith("std")]
        assert len(axes) == 8
        for axis in axes:
            raw = next(item for item in axis.containers if item.get_label() == METHODS["raw_ls"][0])
            assert list(raw[0].get_ydata()) == [10.0, 5.0, 10.0 / 3]
            assert list(raw[0].get_xdata()) == [2, 5, 9]
        plt.close(figure)


def test_equal_figures_are_equal_files(table, tmp_path):
    with style():
        for name in "ab":
            figure = displacement_figure(table, {"fine": 0.1}, {"displaced_small": 0.1})
            save(figure, tmp_path / f"{name}.png", tmp_path / f"{name}.pdf")
    for ending in ("png", "pdf"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_theory_page_shows_every_effect_that_is_measured():
    assert set(PANELS) == {measure.__name__ for measure in MEASUREMENTS}
    rows = [
        {"effect": effect, "statistic": name, "x_name": "lag", "x": x, "theory": 1.0, "measured": 1.1, "scale": 0.1}
        | {"random": effect in ("shot", "jitter")}
        for effect in PANELS
        for name in ("one", "other")
        for x in (0.1, 1, 10)
    ]
    with style():
        figure = theory_page(pd.DataFrame(rows))
    assert len(figure.axes) == 2 * len(PANELS)
    # residuals of one scale, on an axis that shows one bound or three standard errors
    for upper, lower in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        assert [round(float(y), 9) for y in lower.lines[0].get_ydata()] == [1.0] * 3
        assert lower.get_ylim()[1] == (
            4.5 if "jitter" in upper.get_title("left") or "shot" in upper.get_title("left") else 1.5
        )
    plt.close(figure)


def test_a_method_without_rows_is_not_in_the_legend():
    _, axis = plt.subplots()
    rows = pd.DataFrame({"x": [1.0], "y": [1.0], "y_low": [0.9], "y_high": [1.1], "on_bound": [0.0]})
    band(axis, rows, "x", "y", "raw_ls")
    band(axis, rows[:0], "x", "y", "bm3d_ls")
    assert axis.get_legend_handles_labels()[1] == [METHODS["raw_ls"][0]]
    plt.close()
