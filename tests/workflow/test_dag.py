"""The shape of the workflow: its size, its direction, and that a wrong configuration stops it before any job."""

import re
import subprocess
import sys
from pathlib import Path


def test_overlays_change_the_number_of_jobs_and_never_topology(tree):
    # networks of ours at the paper's size are those that are trained at that size, and do not ship
    tree.edit("config/paper.yaml", "folder: {value: models/paper,", "folder: {value: models,")
    planned = {overlay: tree.planned(overlay=overlay) for overlay in ("smoke", "", "paper")}
    assert set(planned["smoke"]) == set(planned[""]) == set(planned["paper"])
    assert sum(planned["smoke"].values()) <= 210
    assert sum(planned[""].values()) <= 390


def test_our_networks_are_benchmarked_where_their_weights_are(tree):
    weights = tree.folder / "models/hrtem.safetensors"
    weights.parent.mkdir(exist_ok=True)
    weights.unlink(missing_ok=True)
    without = tree.planned("results/tables/benchmarks.csv")["score_benchmark"]
    weights.touch()
    assert tree.planned("results/tables/benchmarks.csv")["score_benchmark"] == without + 1


STAGES = [
    "inputs",
    "structures",
    "multislice",
    "library",
    "tables/library.csv",
    "images",
    "disordered",
    "views",
    "gallery",
    "realism",
    "pairs",
    "restored",
    "columns",
    "truth",
    "bounds",
    "scores",
    "audit",
]
STAGES += [
    "tables",
    "tables/versus.csv",
    "tables/versus_summary.csv",
    "numbers.json",
    "claims.csv",
    "figures",
    "report",
]


def test_rules_give_their_scripts_what_these_take(tree):
    command = [sys.executable, str(Path(__file__).with_name("signatures.py"))]
    done = subprocess.run(command, cwd=tree.folder, env=tree.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rules = done.stdout.split("\n")[:-1]
    assert len(rules) > 90
    assert [rule for rule in rules if len(rule.split()) > 1] == []


def test_data_flows_one_way(tree):
    """No job reads from a later stage than it writes to."""
    done = tree.snakemake("--dry-run", "--forceall")
    jobs = re.findall(r"^ +input: (.+)\n +output: (.+)$", done.stdout + done.stderr, flags=re.MULTILINE)
    assert len(jobs) > 20

    def stage(path: str) -> int:
        name = path.removeprefix("results/")
        return STAGES.index(name if name in STAGES else name.split("/")[0])

    for inputs, outputs in jobs:
        made = [stage(name) for name in outputs.split(", ") if "provenance" not in name]
        read = [stage(name) for name in inputs.split(", ") if name.startswith("results/") and "provenance" not in name]
        assert max(read, default=-1) < min(made), (inputs, outputs)


def test_a_typo_in_the_configuration_is_named_before_any_job(tree):
    tree.edit("config/smoke.yaml", "gpts:", "gtps:")
    done = tree.snakemake()
    assert done.returncode != 0
    assert "gtps" in done.stdout + done.stderr
    assert not (tree.folder / "results").exists()


def test_a_detector_beyond_the_cutoff_is_refused_before_any_job(tree):
    tree.edit("config/smoke.yaml", "detector_outer: {value: ", "detector_outer: {value: 1")
    done = tree.snakemake()
    assert done.returncode != 0
    assert "cutoff" in done.stdout + done.stderr
    assert not (tree.folder / "results").exists()
