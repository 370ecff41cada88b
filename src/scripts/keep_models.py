"""Keep trained networks beside the code: weights, history, and the record of how they were made."""

from pathlib import Path

from emrestore.io import atomic_path
from emrestore.workflow import run


def main(weights: list[Path], histories: list[Path], records: list[Path], done: Path, *, folder: str) -> None:
    """Copy each network's files into the folder, as no outputs: the study reads them and would otherwise train."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for group, suffix in ((weights, ".safetensors"), (histories, ".csv"), (records, ".json")):
        for path in group:
            with atomic_path(Path(folder) / f"{path.stem}{suffix}") as temporary:
                temporary.write_bytes(path.read_bytes())
    done.write_text(f"{len(weights)} networks\n", encoding="utf-8")


if "snakemake" in globals():
    run(main, snakemake)
