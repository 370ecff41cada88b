"""Training: crops by their number, runs that go on as if nothing had happened, and faults."""

import dataclasses
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from emrestore import store
from emrestore.distort.chain import Chain
from emrestore.distort.shot import Exposure, Shot
from emrestore.errors import EmrestoreError
from emrestore.image import shard
from emrestore.network.unet import Compact
from emrestore.rng import stream
from emrestore.train import checkpoint, data, loop, losses
from emrestore.train.muon import Muon, orthogonal

L1 = losses.Weights(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
TERMS = losses.Settings(1e-3, 0.125, 1e-3, 1e-2)
SETTINGS = loop.Settings(
    steps=12,
    batch=4,
    crop=16,
    optimiser="adamw",
    learning_rate=2e-3,
    warm_up=3,
    weight_decay=0.0,
    clip=1.0,
    average=0.9,
    share=1.0,
    limit=0.0,
    critic=8,
    bad_steps=3,
    validate=5,
    save=4,
)
CHAIN = Chain(Exposure((5.0, 50.0), "exponential", 0.5, "range"), (("shot", 1.0, Shot()),))


def pool(name="train", count=6):
    y, x = np.mgrid[:32, :32]
    generator = stream(1, "pool", name)
    waves = [np.cos(x * a + p) + np.cos(y * b + q) for a, b, p, q in generator.uniform(0.3, 1.5, (count, 4))]
    images = np.stack([(wave - wave.min()) / np.ptp(wave) for wave in waves])
    return data.Pool(
        torch.from_numpy(np.rint(images * shard.LEVELS).astype(np.uint16)),
        torch.full((count,), 0.1),
        torch.zeros(count),
    )


def small():
    torch.manual_seed(0)
    return Compact(widths=[4, 6], blocks=1)


def run(folder, settings=SETTINGS, network=None, weights=L1, train_pool=None, **others):
    pools = train_pool or (pool(), pool("validation"))
    return loop.train(network or small(), *pools, CHAIN, weights, TERMS, settings, folder, 7, "test", **others)


class TestCrops:
    def test_a_crop_depends_on_its_number_alone(self):
        whole = data.crops(pool(), 16, 0, 8, 7, "crops")
        part = data.crops(pool(), 16, 5, 2, 7, "crops")
        assert torch.equal(whole[0][5:7], part[0])
        assert not torch.equal(whole[0][0], whole[0][1])

    def test_crops_are_parts_of_images_in_all_eight_symmetries(self):
        image = torch.arange(32 * 32).reshape(1, 32, 32).to(torch.uint16)
        one = data.Pool(image, torch.ones(1), torch.zeros(1))
        found = data.crops(one, 8, 0, 400, 7, "crops")[0][:, 0] * shard.LEVELS
        values = found.clamp(min=data.DARKEST * shard.LEVELS).round().long()
        # the steps to the next pixel along y and along x tell how a crop was turned
        steps = {(int(v[1, 0] - v[0, 0]), int(v[0, 1] - v[0, 0])) for v in values if v.min() > 40}
        assert steps == {(a * s, b * t) for a, b in ((32, 1), (1, 32)) for s in (1, -1) for t in (1, -1)}
        corners = values.flatten(1).amin(1)
        assert int((corners // 32).max()) == 24
        assert int((corners % 32).max()) == 24

    def test_what_cannot_be_cropped_is_refused(self):
        with pytest.raises(EmrestoreError, match="do not fit"):
            data.crops(pool(), 64, 0, 1, 7)
        with pytest.raises(EmrestoreError, match="no shard"):
            data.load([])

    def test_a_truncated_shard_is_named(self, tmp_path):
        path = tmp_path / "3.nc"
        path.write_bytes(b"\x89HDF")
        with pytest.raises(EmrestoreError, match=r"3\.nc"):
            data.load([path])


class TestLoop:
    def test_it_learns(self, tmp_path):
        _, history = run(tmp_path, dataclasses.replace(SETTINGS, steps=150, validate=50))
        # a network that begins as the identity, on noise of five to fifty electrons: anything learned shows
        assert history["psnr"].iloc[-1] > history["psnr_raw"].iloc[-1] + 1
        assert history["l1"].iloc[-1] < history["l1"].iloc[0]

    def test_what_is_kept_may_lie_between_the_weights_begun_with_and_those_at_the_end(self, tmp_path):
        def trained(share):
            torch.manual_seed(0)
            network = Compact(widths=[4, 6], blocks=1)
            begun = {name: tensor.clone() for name, tensor in network.state_dict().items()}
            settings = dataclasses.replace(SETTINGS, share=share)
            return begun, *run(tmp_path, settings, network)

        begun, ended, history = trained(1.0)
        # of the run that has ended
        _, between, judged = trained(0.25)
        assert [attempt["step"] for attempt in judged.attrs["attempts"]] == [0, SETTINGS.steps]
        for name, tensor in between.state_dict().items():
            expected = 0.75 * begun[name] + 0.25 * ended.state_dict()[name]
            torch.testing.assert_close(tensor, expected)
        # and is what the last validation is of
        assert judged["psnr"].iloc[:-1].equals(history["psnr"].iloc[:-1])
        assert judged["psnr"].iloc[-1] != history["psnr"].iloc[-1]

    @pytest.mark.parametrize(("adversarial", "optimiser"), [(0.0, "adamw"), (1e-3, "adamw"), (0.0, "muon")])
    def test_a_run_that_went_on_ends_as_one_that_was_not_interrupted(self, tmp_path, adversarial, optimiser):
        weights = dataclasses.replace(L1, adversarial=adversarial)
        # the discriminator's patches need some room
        settings = dataclasses.replace(SETTINGS, crop=32, optimiser=optimiser, average=0.9 * (optimiser == "adamw"))
        # muon, here without a running average, moves kernels of sixteen features and more
        widths = [4, 6] if optimiser == "adamw" else [16, 16]

        def begin():
            torch.manual_seed(0)
            return Compact(widths=widths, blocks=1)

        whole, history = run(tmp_path / "whole", settings, begin(), weights=weights)

        class Killed(Exception):
            pass

        def kill(row):
            if row["step"] == 10:
                raise Killed

        with pytest.raises(Killed):
            run(tmp_path / "parts", settings, begin(), weights=weights, progress=kill)
        assert checkpoint.read_state(tmp_path / "parts/checkpoint.safetensors")["step"] == 8
        parts, again = run(tmp_path / "parts", settings, begin(), weights=weights)
        for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
            assert torch.equal(one, other)
        times = ["seconds", "drawing"]
        pd.testing.assert_frame_equal(history.drop(columns=times), again.drop(columns=times))

    def test_a_network_is_told_the_disorder_of_its_specimens(self, tmp_path):
        moved = {}
        for disorder in (0.0, 1.0):
            told = dataclasses.replace(pool(), disorder=torch.full((6,), disorder))
            torch.manual_seed(0)
            network = Compact(widths=[4, 6], blocks=1, conditional=True)
            before = network.first.weight[:, 1].clone()
            settings = dataclasses.replace(SETTINGS, weight_decay=0.0)
            run(tmp_path / str(disorder), settings, network=network, train_pool=(told, told))
            moved[disorder] = (network.first.weight[:, 1] - before).abs().max()
        # where it is told nothing, no gradient reaches the weights of what it is told
        assert moved[0.0] == 0
        assert moved[1.0] > 1e-4

    def test_two_devices_end_where_one_does(self, tmp_path):
        weights = dataclasses.replace(L1, adversarial=1e-3)
        settings = dataclasses.replace(SETTINGS, crop=32)
        script = tmp_path / "two.py"
        script.write_text(
            "import pathlib, torch, test_train as t\n"
            "from lightning_fabric import Fabric\n"
            "torch.set_num_threads(1)\n"
            "fabric = Fabric(accelerator='cpu', devices=2, strategy='ddp')\n"
            "fabric.launch()\n"
            f"settings, weights = t.loop.{settings!r}, t.losses.{weights!r}\n"
            f"t.run(pathlib.Path({str(tmp_path / 'two')!r}), settings, weights=weights, fabric=fabric)\n"
        )
        paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        done = subprocess.run(
            [sys.executable, str(script)], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        one, _ = run(tmp_path / "one", settings, weights=weights)
        two = small()
        checkpoint.restore(tmp_path / "two/checkpoint.safetensors", {"average": two}, {})
        began = small()
        for last, other, first in zip(one.parameters(), two.parameters(), began.parameters(), strict=True):
            # both saw the same crops; sums of gradients are rounded in another order, and the discriminator compares
            # with the mean of half a batch each: far below the way that training went
            way = (last - first).abs().max().clamp(min=1e-3)
            assert (last - other).abs().max() < 0.02 * way

    def test_a_finished_run_is_not_trained_again(self, tmp_path):
        first, _ = run(tmp_path)
        rows = []
        again, _ = run(tmp_path, progress=rows.append)
        assert rows == []
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))

    def test_a_checkpoint_of_another_run_is_refused_by_name(self, tmp_path):
        run(tmp_path)
        with pytest.raises(EmrestoreError, match="another 'settings'"):
            run(tmp_path, dataclasses.replace(SETTINGS, learning_rate=1e-4))
        with pytest.raises(EmrestoreError, match="another 'arguments'"):
            run(tmp_path, network=Compact(widths=[4, 8], blocks=1))
        with pytest.raises(EmrestoreError, match="another 'precision'"):
            run(tmp_path, recipe={"precision": "bf16-mixed"})
        with pytest.raises(EmrestoreError, match="another 'origin'"):
            run(tmp_path, origin="other weights")

    def test_a_run_that_other_code_has_finished_is_put_aside(self, tmp_path):
        run(tmp_path, attempt={"code": "old"})
        _, history = run(tmp_path, attempt={"code": "new"})
        assert history.attrs["attempts"] == [{"step": 0, "code": "new"}]
        aside = checkpoint.read_state(tmp_path / "checkpoint-of-other-code.safetensors")
        assert aside["attempts"] == [{"step": 0, "code": "old"}]
        # one that is not finished is gone on with or refused, however few steps are asked for
        with pytest.raises(EmrestoreError, match="another 'settings'"):
            run(tmp_path, dataclasses.replace(SETTINGS, steps=SETTINGS.steps - 2), attempt={"code": "new"})

    def test_a_limit_needs_a_loss_with_a_scale(self, tmp_path):
        with pytest.raises(EmrestoreError, match="the limit must be 0"):
            run(tmp_path, dataclasses.replace(SETTINGS, limit=3.0), weights=dataclasses.replace(L1, log_rmse=1.0))

    def test_a_truncated_checkpoint_is_named(self, tmp_path):
        run(tmp_path)
        path = tmp_path / "checkpoint.safetensors"
        path.write_bytes(path.read_bytes()[:500])
        with pytest.raises(EmrestoreError, match="not a whole checkpoint"):
            run(tmp_path)

    def test_steps_that_are_not_finite_are_skipped_counted_and_end_the_run(self, tmp_path, monkeypatch):
        terms, calls = losses.terms, []

        def sometimes(*arguments):
            calls.append(1)
            found = terms(*arguments)
            return {name: term * (float("nan") if bad(len(calls)) else 1) for name, term in found.items()}

        monkeypatch.setattr(losses, "terms", sometimes)
        bad = {3, 7, 8}.__contains__
        network, history = run(tmp_path / "some")
        assert history["skipped"].iloc[-1] == 3
        assert all(torch.isfinite(parameter).all() for parameter in network.parameters())
        calls.clear()
        bad = {6, 7, 8}.__contains__
        with pytest.raises(EmrestoreError, match="3 steps in a row"):
            run(tmp_path / "all")
        assert checkpoint.read_state(tmp_path / "all/checkpoint.safetensors")["step"] == 4

    def test_the_old_checkpoint_survives_a_full_disk(self, tmp_path):
        run(tmp_path, dataclasses.replace(SETTINGS, save=100))
        before = (tmp_path / "checkpoint.safetensors").read_bytes()
        # a limit on the size of files makes writing fail as a full disk does, in the middle
        script = f"""
import resource
from pathlib import Path
import torch
from emrestore.errors import EmrestoreError
from emrestore.train import checkpoint
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
path = Path({str(tmp_path)!r}) / "checkpoint.safetensors"
try:
    checkpoint.save(path, {{"network": torch.nn.Linear(200, 200)}}, {{}}, {{}})
except EmrestoreError as error:
    assert "cannot be written" in str(error), error
else:
    raise SystemExit("written in spite of the limit")
"""
        subprocess.run([sys.executable, "-c", script], check=True)
        assert (tmp_path / "checkpoint.safetensors").read_bytes() == before
        assert len(list(tmp_path.iterdir())) == 1

    def test_a_step_of_the_discriminator_that_is_not_finite_changes_nothing(self, tmp_path, monkeypatch):
        weights = dataclasses.replace(L1, adversarial=1e-3)
        settings = dataclasses.replace(SETTINGS, crop=32, steps=6, save=1, average=0.0, bad_steps=2)
        right = losses.discriminator

        def broken(*logits):
            broken.calls += 1
            return right(*logits) * (float("nan") if broken.calls == 4 else 1.0)

        broken.calls = 0
        monkeypatch.setattr(losses, "discriminator", broken)
        network, history = run(tmp_path, settings, weights=weights)
        assert history["skipped"].iloc[-1] == 1
        # both networks went on from where they were
        saved = checkpoint.read_state(tmp_path / "checkpoint.safetensors")
        assert (saved["step"], saved["bad"]) == (6, 0)
        assert all(torch.isfinite(p).all() for p in network.parameters())
        assert np.isfinite(history[["discriminator", "psnr"]]).all(axis=None)

    def test_attempts_are_told_and_a_run_that_other_code_finished_begins_anew(self, tmp_path):
        class Killed(Exception):
            pass

        def kill(row):
            if row["step"] == 10:
                raise Killed

        def go_on(code, **more):
            return run(tmp_path, dataclasses.replace(SETTINGS, save=4), attempt={"code": code}, **more)

        with pytest.raises(Killed):
            go_on("a", progress=kill)
        first, history = go_on("b")
        assert history.attrs["attempts"] == [{"step": 0, "code": "a"}, {"step": 8, "code": "b"}]
        # finished: the same code has nothing to do, another begins anew
        again, history = go_on("b")
        assert [attempt["step"] for attempt in history.attrs["attempts"]] == [0, 8, 12]
        assert torch.equal(first.state_dict()["first.weight"], again.state_dict()["first.weight"])
        _, history = go_on("c")
        assert history.attrs["attempts"] == [{"step": 0, "code": "c"}]

    def test_no_step_is_no_training(self, tmp_path):
        with pytest.raises(EmrestoreError, match="fewer crops than a batch of 4"):
            run(tmp_path, dataclasses.replace(SETTINGS, steps=0))

    def test_an_unknown_optimiser_is_refused(self, tmp_path):
        with pytest.raises(EmrestoreError, match="adamw or muon, not 'sgd'"):
            run(tmp_path, dataclasses.replace(SETTINGS, optimiser="sgd"))

    def test_the_rate_rises_and_falls(self):
        rates = [loop._rate(step, SETTINGS) for step in range(SETTINGS.steps)]
        assert rates[SETTINGS.warm_up - 1] == rates[SETTINGS.warm_up] == max(rates) == SETTINGS.learning_rate
        assert all(a > b for a, b in pairwise(rates[3:]))


def test_shards_are_read_as_they_were_drawn(tmp_path):
    import xarray as xr

    levels = pool().images.numpy()
    dataset = xr.Dataset(
        {
            "image": (("number", "y", "x"), levels, {"scale_factor": np.float32(1 / shard.LEVELS)}),
            "pixel_size": ("number", np.full(len(levels), 0.1)),
            "drawn": ("number", ['{"specimen": {"disorder": {"strength": 0.5}}}'] + ["{}"] * (len(levels) - 1)),
        }
    )
    store.write(dataset, tmp_path / "0.nc", {})
    found = data.load([tmp_path / "0.nc", tmp_path / "0.nc"])
    assert np.array_equal(found.images.numpy(), np.concatenate([levels, levels]))
    assert found.disorder.tolist() == 2 * [0.5, *[0.0] * (len(levels) - 1)]


class TestMuon:
    @pytest.mark.parametrize("shape", [(2, 16, 144), (1, 40, 20)])
    def test_singular_values_come_near_one(self, shape):
        matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
        u, s, v = torch.linalg.svd(matrices, full_matrices=False)
        steep = u @ torch.diag_embed(torch.logspace(0, -2, s.shape[1]).expand_as(s)) @ v
        for given in (matrices, steep):
            found = orthogonal(given)
            values = torch.linalg.svdvals(found)
            # the quintic's range, and the rounding of bfloat16
            assert values.min() > 0.65
            assert values.max() < 1.25
            # the same singular vectors: along each of the old pairs lies what came of it
            assert torch.linalg.svdvals(u.mT @ found @ v.mT).allclose(values, atol=0.02)
            assert ((u.mT @ found @ v.mT).diagonal(dim1=1, dim2=2) > 0.6).all()
        assert (orthogonal(torch.zeros(1, 4, 4)) == 0).all()

    def test_a_step_has_the_size_of_adams(self):
        torch.manual_seed(0)
        layer = torch.nn.Conv2d(32, 64, 3)
        before = layer.weight.detach().clone()
        optimiser = Muon(layer.parameters(), 1e-2, 0.0)
        layer(torch.randn(4, 32, 8, 8)).square().mean().backward()
        optimiser.step()
        moved = (layer.weight.detach() - before).square().mean().sqrt()
        # of a matrix of r rows, all whose singular values are one, the mean square is 1 / columns
        assert moved.item() == pytest.approx(1e-2 * 0.2, rel=0.3)

    def test_what_is_no_matrix_moves_as_by_adamw(self):
        begin = [torch.randn(5), torch.randn(8, 2, 3, 3)]
        found = []
        for kind in (lambda p: Muon(p, 1e-2, 0.1), lambda p: torch.optim.AdamW(p, 1e-2, weight_decay=0.1)):
            parameters = [torch.nn.Parameter(tensor.clone()) for tensor in begin]
            optimiser = kind(parameters)
            for number in range(5):
                optimiser.zero_grad()
                sum(((parameter - number) ** 2).sum() for parameter in parameters).backward()
                optimiser.step()
            found.append(parameters)
        for one, other in zip(*found, strict=True):
            torch.testing.assert_close(one, other)
