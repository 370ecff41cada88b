import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Tree:
    """A copy of the project in which workflows run."""

    def __init__(self, folder: Path):
        self.folder = folder

    def command(self, *words: str, overlay: str = "smoke") -> list[str]:
        # toys take a small part of the memory and threads that their rules ask for, which must not keep a core idle
        snakemake = [sys.executable, "-m", "snakemake", "--resources", "mem_mb=100000"]
        cores = ["--cores", "2", "--max-threads", "1"]
        return [*snakemake, *cores, *words, *(["--configfile", f"config/{overlay}.yaml"] if overlay else [])]

    def environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(self.folder / "src"), "OMP_NUM_THREADS": "1"}

    def snakemake(self, *words: str, overlay: str = "smoke") -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*words, overlay=overlay),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
        )

    def planned(self, *words: str, overlay: str = "smoke") -> dict[str, int]:
        """Dry-run: how many jobs of each rule would run."""
        done = self.snakemake("--dry-run", *words, overlay=overlay)
        assert done.returncode == 0, done.stdout + done.stderr
        table = re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE)
        return {rule: int(count) for rule, count in table if rule != "total"}

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))


def copy_tree(folder: Path) -> Tree:
    """Copy what git tracks or would track, as a clone would have it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    return Tree(folder)


@pytest.fixture
def tree(tmp_path):
    return copy_tree(tmp_path / "tree")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A tree whose smoke study has run once; tests that edit it restore it."""
    tree = copy_tree(tmp_path_factory.mktemp("finished") / "tree")
    done = tree.snakemake()
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-8000:]
    return tree
