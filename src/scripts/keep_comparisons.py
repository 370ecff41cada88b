"""Keep what was compared of trained networks beside the code, for studies that do not train."""

from pathlib import Path

from emrestore.io import atomic_path
from emrestore.train.report import keep, run_table, stack
from emrestore.workflow import run


def main(
    distortions: Path,
    panels: Path,
    resolution: Path,
    annotations: Path,
    histories: list[Path],
    records: list[Path],
    done: Path,
    *,
    runs: list[list],
    folder: str,
) -> None:
    """Copy scores and panels into the folder, and write a history and a row on each training run.

    ``runs`` are experiment, network and seed of each history. The files are no outputs of the rule, as for
    keep_experiments.
    """
    tables = {"comparison_history": stack(histories, runs), "comparison_runs": run_table(records, runs)}
    keep(tables, Path(folder))
    # last, as these make the study show the comparisons
    for path in (panels, annotations, resolution, distortions):
        with atomic_path(Path(folder) / path.name) as temporary:
            temporary.write_bytes(path.read_bytes())
    done.write_text(f"{len(runs)} runs\n", encoding="utf-8")


if "snakemake" in globals():
    run(main, snakemake)
