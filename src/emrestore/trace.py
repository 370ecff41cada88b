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


def trace(path: Path, provenance: Path = Path("results/provenance")) -> Iterator[Step]:
    """Yield a file and, depth first, all that it was made from.

    Parameters
    ----------
    path
        A result, as the workflow names it.
    provenance
        Folder of the job records.

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
    makers = {}
    for file in sorted(provenance.rglob("*.json")):
        record = json.loads(file.read_text(encoding="utf-8"))
        makers |= dict.fromkeys(record["outputs"], record)
    if not makers:
        raise EmrestoreError(
            f"there are no job records in {provenance}; run the study first (make study), and this in its folder"
        )
    if Path(path).is_absolute() and Path(path).is_relative_to(Path.cwd()):
        path = Path(path).relative_to(Path.cwd())
    if str(path) not in makers:
        raise EmrestoreError(
            f"no job record in {provenance} names {path}; name it as the workflow does, from its folder"
        )
    seen: set[str] = set()

    def walk(name: str, expected: str | None, depth: int) -> Iterator[Step]:
        record = makers.get(name)
        expected = record["outputs"][name] if record else expected
        if not Path(name).is_file():
            state = "missing"
        elif expected is not None and sha256(Path(name)) != expected:
            state = "changed since"
        else:
            state = "as recorded" if record else "source"
        yield Step(depth, name, state, None if name in seen else record)
        if record and name not in seen:
            seen.add(name)
            for source, digest in record["inputs"].items():
                yield from walk(source, digest, depth + 1)

    yield from walk(str(path), None, 0)
