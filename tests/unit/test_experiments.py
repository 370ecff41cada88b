"""Experiments with networks: building, costs, scores and their tables."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from emrestore import authors
from emrestore.columns.response import Lattice
from emrestore.errors import EmrestoreError
from emrestore.metrics import image_scores
from emrestore.network.build import adopt, build
from emrestore.restore import Identity
from emrestore.stats import mean_interval
from emrestore.train import costs, lattices
from emrestore.train.report import SCORES, ablation_table, lineage, model_table, network_table

LATTICE = Lattice(9, 9.8, 2.4, 1.2e-3, 1e-9, 0.2)


def test_weights_depend_on_seed_and_name_alone():
    arguments = {"widths": [4, 6], "blocks": 1}
    one, same = (build("Compact", arguments, 1, "a") for _ in range(2))
    other = build("Compact", arguments, 2, "a")
    torch.manual_seed(99)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(one.first.weight, other.first.weight)


@pytest.mark.parametrize(
    ("architecture", "arguments", "wider", "deeper"),
    [
        ("Compact", {"widths": [4, 6], "blocks": 1}, {"widths": [4, 8]}, {"blocks": 2}),
        ("CGRDN", {"features": 4, "growth": 2, "layers": 2, "blocks": 1, "groups": 2}, {"growth": 3}, {"groups": 3}),
    ],
)
def test_weights_of_another_network_are_taken_over_whatever_it_is_told(architecture, arguments, wider, deeper):
    told, plain = (build(architecture, arguments | {"conditional": known}, 1, "a") for known in (True, False))
    generator = torch.Generator().manual_seed(1)
    for parameter in told.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=generator)
    z, nothing = torch.randn(2, 1, 16, 16, generator=generator), torch.zeros(2)
    adopt(plain, told)
    torch.testing.assert_close(plain.restore_standardised(z), told.restore_standardised(z, nothing))
    # and back: what it is told has no effect yet
    assert not torch.allclose(told.restore_standardised(z, nothing), told.restore_standardised(z, nothing + 1))
    again = build(architecture, arguments | {"conditional": True}, 2, "a")
    adopt(again, plain)
    for disorder in (nothing, torch.ones(2)):
        torch.testing.assert_close(again.restore_standardised(z, disorder), plain.restore_standardised(z))
    with pytest.raises(EmrestoreError, match="another shape"):
        adopt(build(architecture, arguments | wider, 1), plain)
    with pytest.raises(EmrestoreError, match="another architecture"):
        adopt(build(architecture, arguments | deeper, 1), plain)


@pytest.mark.parametrize("conditional", [True, False])
def test_blocks_that_are_not_told_take_over_what_others_do_when_told_of_no_disorder(conditional):
    arguments = {"widths": [4, 6, 8], "blocks": 2, "stride": 2, "lattice": [16]}
    told = build("Compact", arguments | {"conditional": True, "told": 3}, 1, "a")
    generator = torch.Generator().manual_seed(1)
    for parameter in told.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=generator)
    plain = build("Compact", arguments | {"conditional": conditional}, 2, "a")
    adopt(plain, told)
    z, nothing = torch.randn(2, 1, 32, 32, generator=generator), torch.zeros(2)
    known = (nothing,) if conditional else ()
    torch.testing.assert_close(plain.restore_standardised(z, *known), told.restore_standardised(z, nothing))
    assert not torch.allclose(told.restore_standardised(z, nothing), told.restore_standardised(z, nothing + 1))


def test_blocks_that_are_told_take_over_those_that_are_not():
    arguments = {"widths": [4, 6], "blocks": 2, "conditional": True}
    plain, told = build("Compact", arguments, 1, "a"), build("Compact", arguments | {"told": 3}, 2, "a")
    generator = torch.Generator().manual_seed(1)
    for parameter in plain.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=generator)
    adopt(told, plain)
    z, disorder = torch.randn(2, 1, 16, 16, generator=generator), torch.tensor([0.2, 0.7])
    torch.testing.assert_close(told.restore_standardised(z, disorder), plain.restore_standardised(z, disorder))
    # the image of the disorder shut out, each block still knows its own image's
    for parameter in told.told.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=generator)
    torch.nn.init.zeros_(told.first.weight[:, 1])
    both = told.restore_standardised(z, disorder)
    torch.testing.assert_close(both[1:], told.restore_standardised(z[1:], disorder[1:]))
    assert not torch.allclose(both, told.restore_standardised(z, disorder.flip(0)))
    with pytest.raises(EmrestoreError, match="told"):
        build("Compact", arguments | {"conditional": False, "told": 3}, 1)


def test_networks_that_are_not_there_are_refused_by_name():
    with pytest.raises(EmrestoreError, match="Kompakt"):
        build("Kompakt", {}, 1)
    with pytest.raises(EmrestoreError, match="cannot be built"):
        build("Compact", {"depth": 3}, 1)


def test_multiply_adds_by_hand():
    """One resolution: 3 x 3 convolutions 1 -> 4, four blocks of two 4 -> 4 (the bottom has two), 4 -> 1."""
    network = build("Compact", {"widths": [4], "blocks": 1}, 1)
    assert costs.multiply_adds(network, 32) == 9 * (4 + 2 * 2 * 16 + 4)
    assert costs.parameters(network) == 9 * (4 + 4 * 16 + 4) + 4 + 4 * 4 + 1


def test_image_scores_by_hand():
    truth = np.zeros((1, 32, 32))
    truth[0, :, 16:] = 2.0
    found = image_scores(truth + 0.2, truth)
    assert found["psnr"] == pytest.approx(20.0)  # 20 log10(2 / 0.2)
    assert found["l1"] == pytest.approx(0.1)
    assert image_scores(truth, truth)["ssim"] == pytest.approx(1.0)
    assert found["ssim"] < 1


def test_a_high_level_does_not_hide_lost_contrast():
    """Of white noise a = b + c on a high level the windows' SSIM is 2 var(b) / (2 var(b) + var(c)), here 2/3."""
    noise = np.random.default_rng(3).normal(0, 1, (2, 1, 256, 256))
    truth, image = 1e4 + noise[0], 1e4 + noise.sum(0)
    # in windows of 49 pixels its mean is a few per cent off, and the constants of SSIM add one
    assert image_scores(image, truth)["ssim"] == pytest.approx(2 / 3, abs=0.05)


@pytest.mark.parametrize(("modality", "psnr", "ssim"), [("hrstem", 14.79, 0.247), ("lrstem", 19.13, 0.262)])
def test_scores_of_the_authors_distorted_images_are_those_known(modality, psnr, ssim):
    """Measured apart, with scikit-image alone, on all eight pairs."""
    truth, distorted = (images.astype(float) for images in authors.pairs(modality))
    found = image_scores(distorted, truth)
    assert (found["psnr"], found["ssim"]) == (pytest.approx(psnr, abs=0.005), pytest.approx(ssim, abs=0.0005))


def test_columns_of_raw_images_are_measured_without_bias():
    """At many electrons least squares on raw counts follows displacements: slope 1, error near its bound."""
    found = lattices.column_scores(Identity(), LATTICE, 1e6, 10.0, 4, 1, 3)
    # electrons of a column: 1e6 x 2 pi 2.4² x 1.2e-3 = 43000; sigma / sqrt(n) = 0.0115 px = 0.23 pm, for least squares
    # and with neighbours at four sigma up to 1.3 times that; 4 x 49 columns of two axes know it to 4 %
    assert 0.2 < found["position_rmse"] < 0.4
    assert found["slope"] == pytest.approx(1.0, abs=0.01)
    assert abs(found["scs_bias"]) < 0.5


def table():
    rows = []
    for kind, name, shift in (
        ("networks", "compact", 0.0),
        ("ablation", "without_l1", -1.0),
        ("depths", "cgrdn_2", 0.5),
    ):
        for seed, noise in enumerate((0.0, 0.3, -0.3)):
            row = dict.fromkeys(SCORES, 10 + shift + noise) | {"experiment": kind, "network": name, "seed": seed}
            costs = ["parameters", "multiply_adds", "seconds", "training_seconds", "crops"]
            rows.append(row | dict.fromkeys([*costs, "raw_psnr", "raw_l1"], 1.0))
    return pd.DataFrame(rows)


def test_means_over_seeds_have_students_interval():
    # Student's t of two degrees of freedom at 95 %: 4.303; standard deviation 0.3
    assert mean_interval(np.array([0.0, 0.3, -0.3])) == pytest.approx((0, -0.7452, 0.7452), abs=1e-3)
    assert np.isnan(mean_interval(np.array([1.0]))[1])
    found = network_table(table()).set_index("network")
    assert found.loc["compact", "psnr"] == pytest.approx(10)
    assert found.loc["cgrdn_2", "psnr_high"] == pytest.approx(10.5 + 0.7452, abs=1e-3)


def test_differences_are_paired_by_seed():
    row = ablation_table(table(), "compact").set_index("change").loc["without_l1"]
    # the seeds' own differences cancel
    assert (row["psnr"], row["psnr_low"], row["psnr_high"]) == pytest.approx((-1, -1, -1))
    assert row["seeds"] == 3


def test_a_network_goes_back_to_what_its_record_says_by_weights_where_these_are_known():
    def record(name, start=None):
        return {"outputs": {f"{name}.safetensors": f"{name}'s"}, "inputs": {"0.nc": "1"} | (start or {})}

    records = {
        "first": record("once"),
        "second": record("second", {"results/models/once.safetensors": "once's"}),
        "lost": record("lost", {"results/models/gone.safetensors": "gone's"}),
    }
    assert lineage("first", records) == ["first"]
    assert lineage("second", records) == ["first", "second"]
    # what is not on record is called as it was then
    assert lineage("lost", records) == ["gone", "lost"]


def test_trained_networks_are_tabulated_from_their_records(tmp_path):
    arguments = {"widths": [4, 6], "blocks": 1, "conditional": True}
    schedule = {"optimiser": "muon", "learning_rate": 0.002, "batch": 16, "crop": 128}
    for name, more in (("hrstem_first", {}), ("hrstem", {"lattice": [32, 64]})):
        params = {"architecture": "Compact", "arguments": arguments | more, "modality": "hrstem", "chain": "stem_wide"}
        params["distortions"] = {"exposure": {"dose": [3, 300]}}
        record = {"params": params | {"schedule": schedule}, "commit": "abc", "started": "2024-05-01"}
        # renamed after the second began with it
        start = {"results/models/hrstem.safetensors": "hrstem_first's"} if more else {}
        inputs = {"results/disordered/hrstem/train/0.nc": "1"} | start
        outputs = {"results/models/hrstem.safetensors": f"{name}'s", "results/models/hrstem.csv": "3"}
        (tmp_path / f"{name}.json").write_text(json.dumps(record | {"inputs": inputs, "outputs": outputs}))
        history = pd.DataFrame({"crops": [8, 16], "seconds": [1800, 5400], "psnr_raw": 20.0, "psnr": [24.0, 25.5]})
        history.to_csv(tmp_path / f"{name}.csv", index=False)
    names = [tmp_path / "hrstem_first", tmp_path / "hrstem"]
    table = model_table([n.with_suffix(".json") for n in names], [n.with_suffix(".csv") for n in names])
    assert list(table["network"]) == ["hrstem_first", "hrstem"]
    assert list(table["start"]) == ["", "hrstem_first"]
    assert list(table["lattice"]) == ["", "32, 64"]
    assert (table[["share", "dose_low", "dose_high"]] == [1, 3, 300]).all(axis=None)
    assert (table[["crops", "hours", "psnr", "psnr_raw"]] == [16, 1.5, 25.5, 20.0]).all(axis=None)
    # two images more, each seen by four features through kernels of three by three
    assert table["parameters"].diff().iloc[1] == table["multiply_adds"].diff().iloc[1] == 2 * 4 * 9
