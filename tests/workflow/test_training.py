"""Training at toy size: one network is trained and scored from its shards, and all are planned side by side."""

import json

import pandas as pd
import pytest
from PIL import Image

from emrestore.network import weights


def test_a_network_is_trained_and_scored(tree):
    scores = "results/experiments/networks/compact/0/scores.csv"
    done = tree.snakemake(scores)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    row = pd.read_csv(tree.folder / scores).iloc[0]
    history = pd.read_csv(tree.folder / "results/experiments/networks/compact/0/history.csv")
    # 32 crops in batches of 4, validated every 4 steps
    assert history["step"].tolist() == [4, 8]
    assert row["crops"] == 32
    assert row[["psnr", "l1", "position_rmse", "slope", "parameters", "multiply_adds"]].notna().all()
    folder = tree.folder / "results/checkpoints/networks/compact/0"
    assert (folder / "checkpoint.safetensors").exists()
    # eight rows of three validation crops of 32 px, two pixels between them
    assert Image.open(folder / "samples.png").size == (3 * 34 - 2, 8 * 34 - 2)


def test_every_network_is_a_job_of_its_own_and_none_is_part_of_the_study(tree):
    planned = tree.planned("experiments")
    # five networks, one more depth, one term left out and one added, two seeds
    assert planned["score_network"] == 2 * (5 + 1 + 2)
    # and two wrong chains, one network for both resolutions and one for the low one
    assert planned["train_network"] == planned["score_network"] + 2 * (2 + 2)
    assert planned["score_other"] == 2
    assert planned["score_distortions"] == planned["score_resolution"] == planned["score_annotations"] == 1
    assert "train_network" not in tree.planned()
    # six networks that ship, and five that they begin with
    planned = tree.planned("models")
    assert planned["train_model"] == planned["keep_model"] == 11
    # or one alone, which begins with weights that are kept
    assert (
        tree.planned("results/models/lrsem.safetensors", "--config", "models={starts: {value: kept}}")["train_model"]
        == 1
    )


@pytest.mark.slow
def test_comparisons_are_kept_and_then_shown(tree):
    """Three networks learn a chain each, one both resolutions: all are kept with their panels, and drawn from there."""
    tree.edit("config/smoke.yaml", "seeds: {value: [0, 1]}", "seeds: {value: [0]}")
    tree.edit("config/smoke.yaml", "experiments:\n", "experiments:\n  folder: {value: results/kept/experiments}\n")
    done = tree.snakemake("results/experiments/comparisons_kept.txt")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    kept = tree.folder / "results/kept/experiments"
    runs = pd.read_csv(kept / "comparison_runs.csv").set_index("network")
    assert runs.loc["stem_wrong_jitter", "chain"] == "stem_wrong_jitter"
    assert runs.loc["together", "chain"] == "stem"
    assert runs["modality"].to_dict() == {
        "stem_wrong_fast_scan": "hrstem", "stem_wrong_jitter": "hrstem", "together": "hrstem", "apart_lr": "lrstem"
    }  # fmt: skip
    judged = pd.read_csv(kept / "distortions.csv")
    # right, two wrong, raw; six conditions
    assert len(judged) == 4 * 6
    assert judged.drop(columns="position_rmse").notna().all(axis=None)
    assert judged.loc[judged["condition"] != "interpolated", "position_rmse"].notna().all()
    # of what the experiments trained alone; what ships is judged by each study
    assert set(pd.read_csv(kept / "annotations.csv")["experiment"]) == {"networks", "distortions", "resolution"}
    done = tree.snakemake("results/figures/fig07.png", "results/tables/fig07_changes.csv")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    assert "train_network" not in done.stdout + done.stderr
    shipped = pd.read_csv(tree.folder / "results/scores/annotations.csv").set_index("network")
    assert "published" in shipped.index
    raw = shipped.loc["raw"]
    # annotations are the same in both images of a pair, but for rounding
    assert raw[["annotated", "cropped"]].max() < 1e-5 < raw["elsewhere"]
    changes = pd.read_csv(tree.folder / "results/tables/fig07_changes.csv")
    assert changes["condition"].tolist() == ["dwell_200_ns", "dwell_50_ns", "jittered"]


def test_a_network_that_ships_is_trained_and_kept_with_its_record(tree):
    # one, with both that it begins with; all are planned in another test
    done = tree.snakemake("results/models/hrtem_kept.txt")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    kept = tree.folder / "results/kept/hrtem"
    metadata = weights.read_metadata(kept.with_suffix(".safetensors"))
    assert (metadata["model"], metadata["crops"]) == ("hrtem", 16)
    record = json.loads(kept.with_suffix(".json").read_text())
    assert record["rule"] == "train_model"
    assert "results/models/hrstem_second.safetensors" in record["inputs"]
    assert pd.read_csv(kept.with_suffix(".csv"))["crops"].tolist() == [16]
