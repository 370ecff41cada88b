"""The figures draw what the tables hold."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from emrestore.plot.precision import displacement_figure, precision_figure
from emrestore.plot.style import METHODS, save, style


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
