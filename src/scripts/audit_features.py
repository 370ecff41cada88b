"""Tabulate which features survive restoration, and how many columns it invents."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from emrestore import store
from emrestore.survival import amplitudes, phantoms, rate, survival_table
from emrestore.workflow import run

#: Distance from columns at which vacuum begins [Å], three widths of a column's image.
CLEARANCE = 1.5


def main(
    scores: Path,
    columns: Path,
    library: Path,
    truth: Path,
    pairs: list[Path],
    restored: list[Path],
    survival: Path,
    invented: Path,
    *,
    field: str,
    conditions: list[tuple[str, str, list[str]]],
) -> None:
    """Write both tables.

    ``conditions`` are specimen, chain and methods of what has empty regions; ``restored`` holds a path for each method
    but raw, ``pairs`` one for each condition. Spots count as columns from half of one atom's cross section on.
    """
    rows, known = pd.read_parquet(scores), pd.read_csv(columns, keep_default_na=False)
    rows = rows[rows["specimen"] == field]
    tables = []
    for (sampling, dose, method), group in rows.groupby(["sampling", "dose", "method"]):
        table = survival_table(amplitudes(group, known.loc[np.sort(group["column"].unique())]))
        tables.append(table.assign(sampling=sampling, dose=dose, method=method))
    _write(pd.concat(tables), ["sampling", "dose", "method"], survival)

    atom = float(pd.read_csv(library).set_index("atoms")["scs"].loc[1])
    tables, unread = [], iter(restored)
    # the width of columns, in Å
    fits = pd.read_parquet(truth)
    reference = store.read(pairs[[name for name, _, _ in conditions].index(field)])
    sigma = float(fits[fits["estimator"] == "ls"]["sigma"].median()) * reference.attrs["pixel_size"]
    for place, (specimen, chain, methods) in enumerate(conditions):
        source = store.read(pairs[place])
        pixel_size = source.attrs["pixel_size"]
        empty = _empty(source, CLEARANCE / pixel_size)
        for method in methods:
            counts = (source if method == "raw" else store.read(next(unread))).counts
            for dose in counts.dose.values:
                images = counts.sel(dose=dose, thickness=0).values
                number = phantoms(images, sigma / pixel_size, dose * atom / 2, empty)
                found = rate(number, empty.sum() * pixel_size**2 / 100)
                condition = {"specimen": specimen, "sampling": chain, "dose": dose, "method": method}
                tables.append(condition | found | {"images": len(images), "unit": "per 100 Å²"})
    _write(pd.DataFrame(tables), ["specimen"], invented)


def _empty(source, clearance: float) -> np.ndarray:
    """Tell the pixels that are far from all columns; all, where there are none."""
    y, x = np.indices(source.clean.shape[-2:])
    if not source.sizes["column"]:
        return np.ones(x.shape, bool)
    sites = np.stack([source.x_site.values + source.dx.values, source.y_site.values + source.dy.values], axis=-1)
    distance, _ = cKDTree(sites).query(np.stack([x.ravel(), y.ravel()], axis=-1))
    return distance.reshape(x.shape) > clearance


def _write(table: pd.DataFrame, first: list[str], path: Path) -> None:
    """Write a table with some columns in front."""
    table = table[[*first, *(name for name in table if name not in first)]]
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
