import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from emrestore.errors import EmrestoreError
from emrestore.workflow import code_digest, run, sha256


@pytest.fixture
def package(tmp_path):
    root = tmp_path / "src/emrestore"
    (root / "deep").mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "deep/__init__.py").write_text("")
    (root / "a.py").write_text("from emrestore.deep.b import f\n")
    (root / "deep/b.py").write_text('def f():\n    """Text."""\n    return 1\n')
    (root / "other.py").write_text("x = 1\n")
    script = tmp_path / "script.py"
    script.write_text("from emrestore import a\n\nprint(a.f())\n")
    return root, script


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        ("deep/b.py", "return 1", "return 2", True),
        ("deep/b.py", "Text.", "Other text.", False),
        ("deep/b.py", "return 1", "return 1  # why", False),
        ("deep/__init__.py", "", "y = 1\n", True),
        ("other.py", "x = 1", "x = 2", False),
    ],
)
def test_code_digest_follows_imports(package, file, old, new, changes):
    root, script = package
    before = code_digest(script, root)
    path = root / file
    path.write_text(path.read_text().replace(old, new, 1) if old else new)
    assert (code_digest(script, root) != before) is changes


def test_code_digest_follows_the_script(package):
    root, script = package
    before = code_digest(script, root)
    script.write_text(script.read_text() + "print(1)\n")
    assert code_digest(script, root) != before


class Names(dict):
    pass


def snakemake(tmp_path: Path, **params):
    (tmp_path / "envs").mkdir(exist_ok=True)
    (tmp_path / "envs/requirements.lock").write_text("")
    (tmp_path / "in.txt").write_text("4")
    return SimpleNamespace(
        rule="double",
        input=Names(source=str(tmp_path / "in.txt")),
        output=Names(result=str(tmp_path / "out.txt"), record=str(tmp_path / "record.json")),
        params=Names(code="abc", **params),
        wildcards=Names(),
        threads=1,
        log=[str(tmp_path / "log")],
    )


def double(source: Path, result: Path, *, factor: int) -> None:
    result.write_text(str(int(source.read_text()) * factor))


def test_run_hands_over_names_and_writes_a_record(tmp_path, monkeypatch):
    job = snakemake(tmp_path, factor=2)
    monkeypatch.chdir(tmp_path)
    run(double, job)
    assert (tmp_path / "out.txt").read_text() == "8"
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["outputs"] == {job.output["result"]: sha256(tmp_path / "out.txt")}
    assert record["inputs"] == {job.input["source"]: sha256(tmp_path / "in.txt")}
    assert record["code"] == "abc"
    assert record["params"] == {"factor": 2}


def test_a_record_names_the_code_that_began_the_job(tmp_path, monkeypatch):
    job = snakemake(tmp_path, factor=2)
    lock = tmp_path / "envs/requirements.lock"
    before = sha256(lock)

    def meanwhile(source: Path, result: Path, *, factor: int) -> None:
        double(source, result, factor=factor)
        lock.write_text("changed")

    monkeypatch.chdir(tmp_path)
    run(meanwhile, job)
    assert json.loads((tmp_path / "record.json").read_text())["lock"] == before != sha256(lock)


def test_what_main_gives_stands_in_the_record_and_it_may_ask_for_its_code(tmp_path, monkeypatch):
    job = snakemake(tmp_path)

    def main(source: Path, result: Path, *, code: str) -> dict:
        result.write_text(code)
        return {"attempts": [{"step": 0}]}

    monkeypatch.chdir(tmp_path)
    run(main, job)
    assert (tmp_path / "out.txt").read_text() == "abc"
    assert json.loads((tmp_path / "record.json").read_text())["attempts"] == [{"step": 0}]


def test_only_the_first_of_several_devices_writes(tmp_path, monkeypatch):
    job = snakemake(tmp_path)
    partial = tmp_path / ".partial-out.txt"
    partial.write_text("the first device's")
    called = []

    def main(source: Path, result: Path) -> None:
        called.append(result)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCAL_RANK", "1")
    run(main, job)
    assert called == [partial]
    assert partial.read_text() == "the first device's"
    assert {path.name for path in tmp_path.iterdir()} == {"envs", "in.txt", partial.name}


def test_a_missing_name_is_a_type_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError, match="factor"):
        run(double, snakemake(tmp_path))


@pytest.mark.parametrize(
    ("error", "raised"), [(EmrestoreError("mend this"), SystemExit), (OSError(28, "full"), OSError)]
)
def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch, error, raised):
    def fail(source: Path, result: Path) -> None:
        result.write_text("half")
        raise error

    monkeypatch.chdir(tmp_path)
    with pytest.raises(raised):
        run(fail, snakemake(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["envs", "in.txt", "log"]
    assert ("mend this" in (tmp_path / "log").read_text()) or ("full" in (tmp_path / "log").read_text())


def test_jobs_compute_deterministically_and_do_not_wait_for_a_compiler():
    code = """
import sys
import torch
from emrestore.workflow import _set_threads
_set_threads(1)
assert torch.are_deterministic_algorithms_enabled() and torch.get_num_threads() == 1
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
