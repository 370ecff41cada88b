"""Draw micrographs, real and simulated, and what networks restored from them."""

from pathlib import Path

import matplotlib as mpl

from emrestore import store
from emrestore.plot.micrographs import micrographs_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(
    real: Path,
    simulated: list[Path],
    restored: list[Path],
    png: Path,
    pdf: Path,
    *,
    modalities: list[str],
    networks: list,
) -> None:
    """Draw all; ``modalities`` and ``networks`` name the files as in measure_micrographs."""
    sources = {modality: store.read(path) for modality, path in zip(modalities, [real, *simulated], strict=True)}

    def panels(modality: str, counts) -> dict:
        if "truth" in sources[modality]:
            return {(modality, "simulated"): counts.values[0]}
        return {(modality, name): counts.sel(micrograph=name, mirrored=0).values for name in counts.micrograph.values}

    images = {"raw": {}}
    for modality, source in sources.items():
        images["raw"] |= panels(modality, source.counts)
    for (network, modality), path in zip(networks, restored, strict=True):
        images.setdefault(network, {}).update(panels(modality, store.read(path).counts))
    images["truth"] = {
        key: image
        for modality, source in sources.items()
        if "truth" in source
        for key, image in panels(modality, source.truth).items()
    }
    # fine enough for pixels of the images to come out alike
    with style(), mpl.rc_context({"savefig.dpi": 300}):
        save(micrographs_figure(images), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
