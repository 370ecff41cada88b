"""Follow a result back to the code, seed and inputs that it came from, through the records of the jobs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emrestore.errors import EmrestoreError
from emrestore.workflow import sha256


@dataclass(frozen=True)
class Step:
    """One file on the way back: how deep, its state and the record of the job that made it."""

    depth: int
    path: str
    state: str
    record: dict | None


#: Where a study keeps the records of its jobs, and its verdicts on claims.
PROVENANCE = Path("results/provenance")
CLAIMS = Path("results/claims.csv")


def study_of(path: Path) -> Path:
    """Find the folder of the study that a file is of: the nearest above it that holds job records.

    Raises
    ------
    EmrestoreError
        If there is none.
    """
    for folder in Path(path).absolute().parents:
        if (folder / PROVENANCE).is_dir():
            return folder
    raise EmrestoreError(
        f"there are no job records ({PROVENANCE}) in any folder above {path}; run the study first (make study), and "
        "name the file by its path"
    )


def claim(name: str, study: Path = Path()) -> dict:
    """Give what the study says of a claim: a row of ``results/claims.csv``.

    Raises
    ------
    EmrestoreError
        If there are no verdicts, or none of such a claim, or it was not attempted.
    """
    import pandas as pd

    path = study / CLAIMS
    if not path.is_file():
        raise EmrestoreError(f"{name} is no file, and there is no {path} that would name it as a claim; run the study")
    claims = pd.read_csv(path, dtype=str, keep_default_na=False).set_index("id")
    if name not in claims.index:
        raise EmrestoreError(f"{name} is neither a file nor the id of a claim in {path}")
    found = claims.loc[name].to_dict()
    if not found["table"]:
        raise EmrestoreError(f"{name} was not attempted, so nothing was made for it ({found['statement']})")
    return found


def trace(path: Path, study: Path | None = None) -> Iterator[Step]:
    """Yield a file and, depth first, all that it was made from.

    Parameters
    ----------
    path
        A result.
    study
        Folder of the study, by default that in which the file lies.

    Yields
    ------
    Step
        ``state`` is ``as recorded``, ``changed since`` (its hash differs from the record's), ``missing`` or ``source``
        (no job made it). A file is expanded once.

    Raises
    ------
    EmrestoreError
        If there are no records, or none names the file.
    """
    study = study or study_of(path)
    makers, provenance = {}, study / PROVENANCE
    for file in sorted(provenance.rglob("*.json")):
        record = json.loads(file.read_text(encoding="utf-8"))
        makers |= dict.fromkeys(record["outputs"], record)
    if not makers:
        raise EmrestoreError(f"there are no job records in {provenance}; run the study first (make study)")
    name = Path(path).absolute().relative_to(study.absolute()).as_posix()
    if name not in makers:
        raise EmrestoreError(f"no job record in {provenance} names {name}; it was not made by the study")
    seen: set[str] = set()

    def walk(name: str, expected: str | None, depth: int) -> Iterator[Step]:
        record = makers.get(name)
        expected = record["outputs"][name] if record else expected
        if not (study / name).is_file():
            state = "missing"
        elif expected is not None and sha256(study / name) != expected:
            state = "changed since"
        else:
            state = "as recorded" if record else "source"
        yield Step(depth, name, state, None if name in seen else record)
        if record and name not in seen:
            seen.add(name)
            for source, digest in record["inputs"].items():
                yield from walk(source, digest, depth + 1)

    yield from walk(name, None, 0)
