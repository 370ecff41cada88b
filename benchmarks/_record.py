"""One row per measured quantity in benchmarks/results.csv: what every benchmark of this folder writes."""

import csv
import datetime
import importlib.metadata
import os
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results.csv"
COLUMNS = ("benchmark", "quantity", "value", "unit", "reference", "ratio", "cores", "versions", "date")


def record(
    benchmark: str,
    quantity: str,
    value: float,
    unit: str,
    *,
    reference: str = "",
    ratio: float | None = None,
    cores: int | None = None,
    packages: Sequence[str] = ("torch",),
    versions: str = "",
) -> None:
    """Append one row to results.csv and print it.

    Parameters
    ----------
    benchmark
        Name of the script, without its ending.
    quantity, value, unit
        What was measured.
    reference
        What was measured beside it in the same run, in words; empty for the reference's own row.
    ratio
        How many times better than the reference (above 1: better); None where nothing was compared.
    cores
        Threads that were used; None: all that this process may use.
    packages
        Installed distributions whose versions are written.
    versions
        Versions of what is not installed here, ``"tensorflow 2.21.0"``.
    """
    installed = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    row = {
        "benchmark": benchmark,
        "quantity": quantity,
        "value": f"{value:.4g}",
        "unit": unit,
        "reference": reference,
        "ratio": "" if ratio is None else f"{ratio:.3f}",
        "cores": len(os.sched_getaffinity(0)) if cores is None else cores,
        "versions": "; ".join([*installed, *([versions] if versions else [])]),
        "date": datetime.date.today().isoformat(),
    }
    with RESULTS.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(row)
    print(f"{benchmark}: {quantity} {row['value']} {unit}" + (f", {row['ratio']} x {reference}" if reference else ""))
