import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emrestore.cli import app
from emrestore.errors import EmrestoreError
from emrestore.trace import CLAIMS, LEDGER, NUMBERS, claim, commits, trace, trace_claim
from emrestore.workflow import sha256


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("claims.tsv", "a", "b"):
        (tmp_path / name).write_text(name)
    folder = tmp_path / "results/provenance"
    folder.mkdir(parents=True)
    for name, sources in (("a", ["claims.tsv"]), ("b", ["a", "claims.tsv"])):
        record = {"rule": f"make_{name}", "inputs": {s: sha256(tmp_path / s) for s in sources}, "params": {"seed": 7}}
        record |= {"commit": "0123456789abcdef", "dirty": name == "b", "code": f"{name}23456789abcdef"}
        record["outputs"] = {name: sha256(tmp_path / name)}
        (folder / f"{name}.json").write_text(json.dumps(record))
    return tmp_path


def test_trace_walks_back_to_the_sources(results):
    steps = [(s.depth, s.path, s.state) for s in trace("b")]
    assert steps == [
        (0, "b", "as recorded"),
        (1, "a", "as recorded"),
        (2, "claims.tsv", "source"),
        (1, "claims.tsv", "source"),
    ]


def test_trace_sees_changed_and_missing_files(results):
    (results / "a").write_text("edited by hand")
    (results / "claims.tsv").unlink()
    assert [s.state for s in trace("b")] == ["as recorded", "changed since", "missing", "missing"]


def test_trace_sees_what_was_remade_after_it_was_read(results):
    (results / "a").write_text("made anew")
    record = json.loads((results / "results/provenance/a.json").read_text())
    record["outputs"]["a"] = sha256(results / "a")
    (results / "results/provenance/a.json").write_text(json.dumps(record))
    assert [s.state for s in trace("b")] == ["as recorded", "remade since", "source", "source"]
    assert [s.state for s in trace("a")] == ["as recorded", "source"]


def test_the_command_names_rule_commit_seed_and_code(results):
    done = CliRunner().invoke(app, ["trace", "b"])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "b  [as recorded]  make_b, commit 0123456789ab with changes, seed 7, code b23456789abc"
    assert lines[1] == "  a  [as recorded]  make_a, commit 0123456789ab, seed 7, code a23456789abc"
    assert lines[2] == "    claims.tsv  [source]"


def test_the_study_is_found_by_where_the_file_lies(results, tmp_path_factory, monkeypatch):
    here = [(s.depth, s.path, s.state) for s in trace("b")]
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert [(s.depth, s.path, s.state) for s in trace(results / "b")] == here
    with pytest.raises(EmrestoreError, match="run the study first"):
        list(trace("b"))


def record_job(results, output, inputs):
    record = json.loads((results / "results/provenance/b.json").read_text()) | {"rule": f"make_{Path(output).stem}"}
    record["inputs"] = {name: sha256(results / name) for name in inputs}
    record["outputs"] = {output: sha256(results / output)}
    (results / f"results/provenance/{Path(output).stem}.json").write_text(json.dumps(record))


def test_a_claim_is_traced_by_its_id(results):
    header = "id,statement,measured_published,measured_trained,unit,ci_low,ci_high,status,table"
    rows = [
        "some-claim,It is more.,2.5,,nm,2.1,3.0,reproduced,tables/t.csv",
        "shown,It is shown.,2.5,,nm,2.1,3.0,reproduced,tables/u.csv",
        "another,It is less.,,,,,,not attempted,",
    ]
    (results / "config").mkdir()
    (results / "results/tables").mkdir()
    (results / LEDGER).write_text("ledger")
    (results / NUMBERS).write_text("{}")
    (results / CLAIMS).write_text("\n".join([header, *rows]) + "\n")
    for table in ("t", "u", "v"):
        (results / f"results/tables/{table}.csv").write_text(table)
        record_job(results, f"results/tables/{table}.csv", ["a"])
    record_job(results, NUMBERS, ["results/tables/t.csv", "results/tables/v.csv"])
    record_job(results, CLAIMS.as_posix(), [LEDGER, NUMBERS])
    done = CliRunner().invoke(app, ["trace", "some-claim"])
    first, *steps = done.stdout.splitlines()
    assert first == "It is more. Measured: 2.5 nm (2.1 to 3), reproduced."
    assert [line.split("  [")[0] for line in steps] == [
        "results/claims.csv",
        "  config/claims.tsv",
        "  results/numbers.json",
        "    results/tables/t.csv",
        "      a",
        "        claims.tsv",
    ]
    # a verdict edited by hand is seen
    (results / CLAIMS).write_text((results / CLAIMS).read_text().replace("2.5", "3.5"))
    assert next(step.state for step in trace_claim("some-claim")) == "changed since"
    # a table that shows a number and is no source of it comes last
    assert [step.path for step in trace_claim("shown")][-3:] == ["results/tables/u.csv", "a", "claims.tsv"]
    for name, words in (("another", "not attempted"), ("a-third", "neither a file nor the id of a claim")):
        with pytest.raises(EmrestoreError, match=words):
            claim(name)


def test_commits_behind_results_are_counted_by_job(results):
    assert commits(["b"]) == {"0123456789abcdef": 1, "0123456789abcdef with changes": 1}
    assert commits(["a"]) == {"0123456789abcdef": 1}
    assert commits(["claims.tsv"]) == {}


def test_trace_refuses_unknown_files(results):
    with pytest.raises(EmrestoreError, match="no job record"):
        list(trace("c"))
