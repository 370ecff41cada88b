"""Write the report from tables, numbers, claims, figures and records."""

import json
from pathlib import Path

import pandas as pd

from emrestore.report import render
from emrestore.trace import commits
from emrestore.workflow import run


def main(
    template: Path,
    formats: Path,
    numbers: Path,
    verdicts: Path,
    tables: list[Path],
    figures: list[Path],
    pdfs: list[Path],
    job: Path,
    html: Path,
    pdf: Path,
    *,
    name: str,
    settings: list[dict],
) -> None:
    """Write one self-contained HTML page and its PDF."""
    behind = commits(map(str, [verdicts, *tables, *figures]))
    context = {
        "config": {
            "name": name,
            "settings": settings,
            "assumptions": [leaf for leaf in settings if leaf["source"].startswith("assumed")],
        },
        "numbers": json.loads(numbers.read_text(encoding="utf-8")),
        "claims": pd.read_csv(verdicts, dtype=str, keep_default_na=False).to_dict("records"),
        "tables": {path.stem: pd.read_csv(path).to_dict("records") for path in tables},
        "figures": {png.stem: {"png": png, "pdf": vector} for png, vector in zip(figures, pdfs, strict=True)},
        "provenance": json.loads(job.read_text(encoding="utf-8")) | {"commits": behind},
    }
    render(template.parent, context, html, pdf)


if "snakemake" in globals():
    run(main, snakemake)
