"""Hold each distortion against its theory."""

from pathlib import Path

from emrestore.distort.theory import compare
from emrestore.rng import key
from emrestore.workflow import run


def main(table: Path, *, seed: int) -> None:
    """Write one row per comparison."""
    rows = compare(key(seed, "theory"))
    rows["residual"] = (rows["measured"] - rows["theory"]) / rows["scale"].where(rows["scale"] > 0)
    rows.to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
