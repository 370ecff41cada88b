"""One real micrograph in, picture and column table out: ``make demo``.

The micrograph is the first of the five experimental HAADF images that the authors ship in tk_r_em. It carries no
calibration, so positions are in pixels.
"""

import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import emrestore
from emrestore import io
from emrestore.authors import package_file
from emrestore.columns.detect import detect_columns
from emrestore.columns.fit import soundness
from emrestore.plot.style import panel, save, style


def main(folder: Path) -> None:
    """Write restored.tif, columns.csv and demo.png into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    # the file is written column by column: swapped, the fast scan axis is x
    image = io.read(f"{package_file('test_data/exp_hrstem.h5')}:x").data[0].squeeze().T.astype(np.float32)
    started = time.monotonic()
    restored = emrestore.restore(image, model="hrstem", weights="published")
    print(f"restored {image.shape[0]} x {image.shape[1]} pixels in {time.monotonic() - started:.1f} s")
    io.write(folder / "restored.tif", restored)
    positions = detect_columns(restored)
    # found in the restored image, fitted in the recorded one, whose noise the standard errors are of
    table = emrestore.fit_columns(image, positions, joint=False)
    table = table[[name for name in table if "_A" not in name]]  # without calibration there are no Å
    table.to_csv(folder / "columns.csv", index_label="column", float_format="%.6g")
    print(f"fitted in the recorded image: {soundness(table)}")
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.8))
        for axis, shown, letter, title in zip(
            axes,
            (image, restored, restored),
            "abc",
            ("experimental HAADF", "restored (published CGRDN)", "columns whose fits are sound"),
            strict=True,
        ):
            axis.imshow(shown, cmap="gray", vmin=np.quantile(shown, 0.001), vmax=np.quantile(shown, 0.999))
            axis.set_axis_off()
            panel(axis, letter, title)
        good = table[table["converged"] & ~table["on_bound"] & ~table["border"]]
        axes[2].plot(good["x"], good["y"], "+", color="#D55E00", markersize=3.5, markeredgewidth=0.6)
        axes[2].set(xlim=axes[1].get_xlim(), ylim=axes[1].get_ylim())
        save(figure, folder / "demo.png", folder / "demo.pdf")
    print(f"wrote {', '.join(sorted(path.name for path in folder.iterdir()))} to {folder}/")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
