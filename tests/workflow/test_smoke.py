"""The whole study at toy size: it runs, does nothing twice, and an edit reruns what depends on it and nothing else."""

import json
import os
import signal
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import copy_tree

from emrestore import store
from emrestore.config import unwrap
from emrestore.distort.chain import build
from emrestore.pairs import expected_counts, replay
from emrestore.trace import trace

PLOT = {"plot_bias", "render_report", "all"}
AFTER_FITS = {"fit_columns", "fit_truth", "score_columns", "collect_numbers", "evaluate_claims", "render_report", "all"}
AFTER_FITS |= {"tabulate_precision", "tabulate_displacements", "tabulate_cross_sections"}
AFTER_FITS |= {"plot_precision", "plot_bias", "plot_displacements"}
AFTER_FITS |= {"tabulate_accuracy", "fit_blind", "count_atoms", "walk_circuits", "plot_dislocation", "plot_particle"}
AFTER_FITS |= {"audit_columns", "audit_bounds", "audit_averaging", "audit_confidence", "audit_features"}
AFTER_FITS |= {"plot_audit_bounds", "plot_audit_averaging", "plot_audit_confidence", "plot_features"}
AFTER_FITS |= {"audit_departures", "plot_departures"}
# of our own network
AFTER_FITS |= {"measure_priors", "plot_priors", "compare_networks", "plot_versus"}


def test_everything_is_there(finished):
    for name in (
        "figures/fig03.png",
        "figures/fig03.pdf",
        "figures/fig04.png",
        "figures/fig05.pdf",
        "figures/fig06.png",
        "figures/audit_bounds.png",
        "figures/audit_averaging.png",
        "figures/audit_features.png",
        "figures/audit_departures.png",
        "figures/audit_confidence.png",
        "tables/counts.csv",
        "tables/blind_particle.csv",
        "tables/fig03.csv",
        "tables/displaced.csv",
        "tables/distortions.csv",
        "figures/distortions.pdf",
        "figures/clean_lrstem.pdf",
        "figures/fig11.png",
        "figures/benchmarks.png",
        "figures/realism.png",
        "tables/generator.csv",
        "tables/realism.csv",
        "tables/benchmarks.csv",
        "claims.csv",
    ):
        assert (finished.folder / "results" / name).stat().st_size > 0
    assert (finished.folder / "results/report/report.pdf").read_bytes().startswith(b"%PDF")
    assert not list((finished.folder / "results").rglob(".partial-*"))


def test_table_has_a_row_for_each_condition(finished):
    table = pd.read_csv(finished.folder / "results/tables/fig03.csv")
    keys = ["sampling", "thickness", "dose", "method", "quantity"]
    assert not table.duplicated(keys).any()
    assert len(table) == table[keys].nunique().prod()
    assert table[["bias", "std", "std_low", "std_high", "rmse", "crlb", "n"]].notna().all(axis=None)


def test_claims_of_fig03_are_evaluated(finished):
    claims = pd.read_csv(finished.folder / "results/claims.csv")
    mine = claims[claims["id"].str.startswith("lobato-fig3")]
    assert len(mine) > 0
    assert set(mine["status"]) <= {"reproduced", "not reproduced", "not comparable"}


def test_a_shard_is_the_same_from_its_address_alone(tree, finished):
    """In another folder, without anything else, on one core."""
    shard = "results/images/hrsem/validation/0.nc"
    done = tree.snakemake("--cores", "1", shard)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tree.folder / shard).read_bytes() == (finished.folder / shard).read_bytes()


def test_every_output_is_as_recorded(finished, monkeypatch):
    monkeypatch.chdir(finished.folder)
    from pathlib import Path

    steps = list(trace(Path("results/report/report.pdf")))
    assert {step.state for step in steps} == {"as recorded", "source"}
    rules = {step.record["rule"] for step in steps if step.record}
    assert {"simulate_haadf", "draw_pairs", "restore", "fit_columns", "render_report"} <= rules


def test_a_second_run_does_nothing(finished):
    assert finished.planned() == {}


def test_touching_a_plot_script_reruns_nothing_and_changing_it_that_figure_and_the_report(finished):
    script = finished.folder / "src/scripts/plot_bias.py"
    before = script.read_text()
    script.touch()
    assert finished.planned() == {}
    try:
        script.write_text(before.replace("save(", "print()\n        save("))
        assert set(finished.planned()) == PLOT
    finally:
        script.write_text(before)


@pytest.mark.parametrize("module", ["src/emrestore/columns/fit.py"])
def test_editing_the_fit_reruns_fits_and_what_follows(finished, module):
    path = finished.folder / module
    before = path.read_text()
    try:
        path.write_text(before + "\n# a comment\n")
        assert finished.planned() == {}
        path.write_text(before + "\nCHANGED = 1\n")
        assert set(finished.planned()) == AFTER_FITS
    finally:
        path.write_text(before)


def test_a_changed_value_reruns_what_reads_it(finished):
    before = (finished.folder / "config/smoke.yaml").read_text()
    try:
        finished.edit(
            "config/smoke.yaml",
            "name: {value: smoke}",
            "name: {value: smoke}\ncolumns: {border: {value: 1.1}}",
        )
        assert "score_columns" in finished.planned()
        assert "fit_columns" not in finished.planned()
    finally:
        (finished.folder / "config/smoke.yaml").write_text(before)


def test_a_killed_job_leaves_nothing_that_passes_for_whole(tree):
    """Kill the workflow with all its jobs in mid-computation; the next run makes good."""
    process = subprocess.Popen(
        tree.command("results/multislice/bulk/0.nc"), cwd=tree.folder, env=tree.environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    log = tree.folder / "results/logs/simulate_haadf/bulk/0.log"
    while not log.exists():
        assert process.poll() is None, "the workflow ended before it could be killed"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tree.folder / "results/multislice/bulk/0.nc").exists()
    assert tree.snakemake("--unlock").returncode == 0
    done = tree.snakemake("results/multislice/bulk/0.nc")
    assert done.returncode == 0, done.stderr
    record = json.loads((tree.folder / "results/provenance/multislice/bulk/0.json").read_text())
    assert record["rule"] == "simulate_haadf"


@pytest.mark.slow
def test_two_runs_give_byte_identical_tables(finished, tmp_path):
    again = copy_tree(tmp_path / "again")
    assert again.snakemake().returncode == 0
    names = [path.relative_to(finished.folder) for path in (finished.folder / "results/tables").glob("*.csv")]
    names += [finished.folder.joinpath("results/claims.csv").relative_to(finished.folder)]
    assert len(names) > 3
    for name in names:
        assert (finished.folder / name).read_bytes() == (again.folder / name).read_bytes(), name


def test_recorded_images_are_made_again_from_their_file_alone(finished):
    pairs = store.read(finished.folder / "results/pairs/bulk/coarse.nc")
    settings = unwrap(
        yaml.safe_load((finished.folder / "config/config.yaml").read_text(encoding="utf-8"))["distortions"]
    )
    chain = build(settings, store.parameters(pairs)["distortions"])
    one = pairs.isel(dose=0, thickness=1)
    expected = expected_counts(one.clean.values, float(one.dose), pairs.attrs["pixel_size"])
    links = ["exposure", *(name for name, _, _ in chain.effects)]
    parameters = {name: one[name].values for name in one if name.split(".")[0] in links}
    assert np.array_equal(replay(expected, chain, parameters), one.counts.values)
