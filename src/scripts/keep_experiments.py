"""Keep scores, histories and provenance of finished experiments beside the code, for studies that do not train."""

from pathlib import Path

from emrestore.train.report import keep, run_table, stack
from emrestore.workflow import run


def main(
    scores: list[Path],
    histories: list[Path],
    records: list[Path],
    done: Path,
    *,
    runs: list[list],
    folder: str,
) -> None:
    """Write scores.csv, history.csv and runs.csv into the folder: a row per run, and per validation of each.

    ``runs`` are experiment, network and seed of each score; those that were trained come first and have a history and a
    record. The files are no outputs of the rule: the default study reads them, and would have to train if a rule made
    them.
    """
    tables = {
        "scores": stack(scores, runs),
        "history": stack(histories, runs[: len(histories)]),
        "runs": run_table(records, runs),
    }
    keep(tables, Path(folder))
    done.write_text(f"{len(runs)} runs\n", encoding="utf-8")


if "snakemake" in globals():
    run(main, snakemake)
