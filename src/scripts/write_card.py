"""Write the card of a network that ships."""

import json
from pathlib import Path

import pandas as pd

from emrestore.cards import card, markdown
from emrestore.network.weights import read_metadata
from emrestore.train.report import lineage
from emrestore.workflow import run


def main(
    weights: Path,
    history: Path,
    scores: Path,
    summary: Path,
    columns: Path | list[Path],
    priors: Path | list[Path],
    records: list[Path],
    histories: list[Path],
    page: Path,
    facts: Path,
    *,
    modality: str,
) -> None:
    """Write the card as a page and as JSON.

    ``columns`` and ``priors`` are empty for networks whose columns are not measured and that are not told anything;
    ``records`` and ``histories`` are of all networks that are kept, from which it is found what this one began with.
    """
    read = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in records}
    kept = {path.stem: pd.read_csv(path) for path in histories}
    known = card(
        modality,
        read_metadata(weights),
        read[modality],
        pd.read_csv(history),
        pd.read_csv(scores),
        pd.read_csv(summary),
        pd.read_csv(columns) if columns else None,
        pd.read_csv(priors) if priors else None,
        {name: kept[name] for name in lineage(modality, read)[:-1] if name in kept},
    )
    page.write_text(markdown(known), encoding="utf-8")
    facts.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if "snakemake" in globals():
    run(main, snakemake)
