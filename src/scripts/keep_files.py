"""Keep files of a finished run beside the code: weights, histories, records, cards."""

from pathlib import Path

from emrestore.io import atomic_path
from emrestore.workflow import run


def main(files: list[Path], done: Path, *, folder: str) -> None:
    """Copy files into the folder, as no outputs: the study reads them and would otherwise make them."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path in files:
        with atomic_path(Path(folder) / path.name) as temporary:
            temporary.write_bytes(path.read_bytes())
    done.write_text("\n".join(path.name for path in files) + "\n", encoding="utf-8")


if "snakemake" in globals():
    run(main, snakemake)
