"""Draw what restoration erases and invents."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.plot.audit import features_figure
from emrestore.plot.style import save, short_label, style
from emrestore.workflow import run


def main(
    pairs: Path,
    restored: list[Path],
    columns: Path,
    survival: Path,
    invented: Path,
    png: Path,
    pdf: Path,
    *,
    chain: str,
    methods: list[str],
) -> None:
    """Draw images at the middle dose, features at all doses and phantoms; ``restored`` has a path for each method."""
    source, known = store.read(pairs), pd.read_csv(columns, keep_default_na=False)
    dose = float(np.sort(source.dose.values)[source.sizes["dose"] // 2])
    pixel_size = source.attrs["pixel_size"]
    one = {"dose": dose, "thickness": 0, "realisation": 0}
    images = [("clean", source.clean.values[0]), (f"raw, {dose:g} e/Å²", source.counts.sel(one).values)]
    for method, path in zip(methods, restored, strict=True):
        images.append((short_label(f"{method}_ls"), store.read(path).counts.sel(one).values))
    known = known.iloc[source.cell_column.values].reset_index(drop=True)
    sites = np.stack([source.x_site.values, source.y_site.values], axis=-1)
    kinds = {
        "displaced": known["feature"].str.startswith("displaced"),
        "content": known["feature"].isin(["vacant column", "half a column", "one atom missing"]),
        "substituted": known["feature"].str.startswith("one atom of"),
        "interstitial": known["feature"] == "interstitial column",
    }
    marks = {name: sites[chosen.to_numpy()] for name, chosen in kinds.items()}
    measured = pd.read_csv(survival)
    with style():
        figure = features_figure(
            images, marks, measured[measured["sampling"] == chain], pd.read_csv(invented), pixel_size
        )
        save(figure, png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
