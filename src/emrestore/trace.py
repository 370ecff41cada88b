"""Follow a result back to the code, seed and inputs that it came from, through the records of the jobs."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
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


#: Where a study keeps the records of its jobs, and its verdicts on claims, made from a ledger and from numbers.
PROVENANCE = Path("results/provenance")
CLAIMS = Path("results/claims.csv")
LEDGER, NUMBERS = "config/claims.tsv", "results/numbers.json"


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


def trace_claim(name: str, study: Path = Path()) -> Iterator[Step]:
    """Yield the verdict on a claim, the number and the table behind it, and all that this table was made from.

    Other tables that the study's verdicts and numbers were made from are left out. Parameters and errors are those of
    :func:`claim` and :func:`trace`.
    """
    table = f"results/{claim(name, study)['table']}"
    seen = set()
    for step in trace(study / CLAIMS, study, along=(LEDGER, NUMBERS, table)):
        seen.add(step.path)
        yield step
    if table not in seen:  # which shows the number as a reader likes it, made from the same source
        yield from trace(study / table, study)


def trace(path: Path, study: Path | None = None, along: Collection[str] = ()) -> Iterator[Step]:
    """Yield a file and, depth first, all that it was made from.

    Parameters
    ----------
    path
        A result.
    study
        Folder of the study, by default that in which the file lies.
    along
        Of what the verdicts and the numbers of the study were made from, follow these alone.

    Yields
    ------
    Step
        ``state`` is ``as recorded``, ``changed since`` (its hash is not that of the job that made it, or of a source,
        that of the job that read it), ``remade since`` (a job made it anew after the job above had read it),
        ``missing`` or ``source`` (no job made it). A file is expanded once.

    Raises
    ------
    EmrestoreError
        If there are no records, or none names the file.
    """
    study = study or study_of(path)
    makers = _makers(study)
    name = Path(path).absolute().relative_to(study.absolute()).as_posix()
    if name not in makers:
        raise EmrestoreError(f"no job record in {study / PROVENANCE} names {name}; it was not made by the study")
    seen: set[str] = set()

    def walk(name: str, read: str | None, depth: int) -> Iterator[Step]:
        record = makers.get(name)
        made = record["outputs"][name] if record else read
        if not (study / name).is_file():
            state = "missing"
        elif made is not None and sha256(study / name) != made:
            state = "changed since"
        elif read is not None and read != made:
            state = "remade since"
        else:
            state = "as recorded" if record else "source"
        yield Step(depth, name, state, None if name in seen else record)
        if record and name not in seen:
            seen.add(name)
            narrow = along and name in (CLAIMS.as_posix(), NUMBERS)
            for source, digest in record["inputs"].items():
                if narrow and source not in along:
                    continue
                yield from walk(source, digest, depth + 1)

    yield from walk(name, None, 0)


def commits(results: Iterable[str], study: Path = Path()) -> dict[str, int]:
    """Count the jobs behind results by the commit of their code, the most frequent first.

    A commit that had uncommitted changes ends with `` with changes``. No file is hashed.

    Raises
    ------
    EmrestoreError
        If there are no records.
    """
    makers, jobs = _makers(study), {}
    todo = list(results)
    while todo:
        name = todo.pop()
        if name in makers and name not in jobs:
            jobs |= dict.fromkeys(makers[name]["outputs"], makers[name])
            todo += makers[name]["inputs"]
    distinct = {id(record): record for record in jobs.values()}.values()
    counted = Counter(record["commit"] + " with changes" * record["dirty"] for record in distinct)
    return dict(counted.most_common())


def _makers(study: Path) -> dict[str, dict]:
    """Give the record of the job that made it, of each result that has one."""
    found, provenance = {}, study / PROVENANCE
    for file in sorted(provenance.rglob("*.json")):
        record = json.loads(file.read_text(encoding="utf-8"))
        found |= dict.fromkeys(record["outputs"], record)
    if not found:
        raise EmrestoreError(f"there are no job records in {provenance}; run the study first (make study)")
    return found
