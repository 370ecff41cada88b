"""Chains of distortions: replay, independence of batch and threads, agreement with the configuration, bad input."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
import yaml

from emrestore import config as study
from emrestore import store
from emrestore.distort import noise
from emrestore.distort.chain import EFFECTS, build, distort, flatten, unflatten
from emrestore.distort.effect import select, total
from emrestore.errors import EmrestoreError
from emrestore.rng import key

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
SCHEMA = yaml.safe_load((ROOT / "config/schema/config.schema.yaml").read_text(encoding="utf-8"))
SETTINGS = study.unwrap(CONFIG["distortions"])
CHAINS = list(SETTINGS["chains"])
# these hold effects of every kind; the others differ from them in ranges, order and what they leave out
KINDS = ["stem_wide", "stem_bound", "stem_wrong_fast_scan", "tem_wide"]
# keys of 24 images
KEYS = noise.keys(key(1, "test"), 24)


@pytest.fixture(scope="module")
def clean():
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    image = (1.2 + torch.cos(x / 2) * torch.cos(y / 3)) / 2.2
    return image.repeat(24, 1, 1, 1) * torch.linspace(0.5, 1, 24).view(-1, 1, 1, 1)


@pytest.fixture
def always(monkeypatch):
    """Settings in which every effect occurs."""
    effects = {name: entry | {"probability": 1.0} for name, entry in SETTINGS["effects"].items()}
    return SETTINGS | {"effects": effects}


@pytest.mark.parametrize("name", CHAINS)
class TestChain:
    def test_images_are_finite_and_replayed_to_the_bit(self, name, clean):
        chain = build(SETTINGS, name)
        truth, distorted, drawn = distort(chain, KEYS, clean, 0.1)
        assert torch.isfinite(truth).all()
        assert torch.isfinite(distorted).all()
        assert not torch.equal(truth, distorted)
        again = chain.apply(clean, unflatten(flatten(drawn)))
        assert torch.equal(again[0], truth)
        assert torch.equal(again[1], distorted)


@pytest.mark.parametrize("name", KINDS)
class TestAnyChain:
    def test_an_image_does_not_depend_on_its_batch_or_on_threads(self, name, always, clean):
        chain = build(always, name)
        truth, distorted, _ = distort(chain, KEYS, clean, 0.1)
        threads = torch.get_num_threads()
        try:
            for number, count in ((1, 1), (2, 5), (1, 24)):
                torch.set_num_threads(number)
                for first in range(0, 24, count):
                    part = slice(first, first + count)
                    one = distort(chain, KEYS[part], clean[part], 0.1)
                    assert torch.equal(one[0], truth[part])
                    assert torch.equal(one[1], distorted[part])
        finally:
            torch.set_num_threads(threads)

    def test_everything_is_made_on_the_device_of_the_images(self, name, always, clean):
        # what does not name its device is made on "meta", which has no values to mix with those of the CPU
        chain = build(always, name)
        expected = distort(chain, KEYS[:3], clean[:3], 0.1)
        with torch.device("meta"):
            found = distort(chain, KEYS[:3], clean[:3], 0.1)
        assert torch.equal(found[1], expected[1])

    def test_inputs_are_left_as_they_were(self, name, clean):
        before = clean.clone()
        chain = build(SETTINGS, name)
        drawn = chain.sample(KEYS, clean, 0.1)
        copies = {address: values.clone() for address, values in flatten(drawn).items()}
        chain.apply(clean, drawn)
        assert torch.equal(clean, before)
        assert all(torch.equal(values, copies[address]) for address, values in flatten(drawn).items())

    def test_large_images_are_the_same_on_any_number_of_threads(self, name, always):
        # large enough for torch to divide its loops among threads
        image = noise.uniform(noise.keys(3, 1), 1, 192, 256)
        results = []
        threads = torch.get_num_threads()
        try:
            for number in (1, 2):
                torch.set_num_threads(number)
                results.append(distort(build(always, name), KEYS[:1], image, 0.1)[1])
        finally:
            torch.set_num_threads(threads)
        assert torch.equal(*results)


class TestStorage:
    def test_parameters_survive_a_file(self, clean, tmp_path):
        chain = build(SETTINGS, "stem")
        _, distorted, drawn = distort(chain, noise.keys(2, 24), clean, 0.1)
        variables = {
            name: (("image", *(f"{name}.{axis}" for axis in range(values.ndim - 1))), values.numpy())
            for name, values in flatten(drawn).items()
        }
        store.write(xr.Dataset(variables), tmp_path / "parameters.nc", {})
        stored = store.read(tmp_path / "parameters.nc")
        again = unflatten({name: torch.from_numpy(values.values) for name, values in stored.items()})
        assert torch.equal(chain.apply(clean, again)[1], distorted)

    def test_one_image_of_many_is_made_again_alone(self, clean):
        chain = build(SETTINGS, "tem")
        _, distorted, drawn = distort(chain, noise.keys(2, 24), clean, 0.1)
        one = {name: select(values, slice(17, 18)) for name, values in drawn.items()}
        assert torch.equal(chain.apply(clean[17:18], one)[1], distorted[17:18])


class TestPairs:
    def test_restoration_is_to_keep_what_acts_on_both_images(self, clean):
        # at a high dose without recording effects, truth and image agree but for shot noise
        chain = build(SETTINGS | {"chains": {"both": ["mtf", "interpolation", "annotations", "cropping"]}}, "both")
        truth, distorted, _ = distort(chain, noise.keys(2, 24), clean, 0.1)
        assert torch.allclose(truth, distorted, atol=1e-6)
        assert not torch.allclose(truth, clean, atol=0.1)

    def test_the_mean_dose_is_the_given_one(self, clean):
        # Poisson: variance of the mean of P pixels is (mean / α) / P
        chain = build(SETTINGS, "poisson")
        _, distorted, _ = distort(chain, noise.keys(2, 24), clean, 0.1, electrons=40.0)
        means, expected = distorted.mean(dim=(1, 2, 3)), clean.mean(dim=(1, 2, 3))
        assert ((means - expected).abs() < 5 * torch.sqrt(expected / 40 / clean[0].numel())).all()
        assert torch.allclose(distorted * 40, (distorted * 40).round(), atol=1e-3)

    def test_the_image_keeps_its_scale_through_recording(self, clean):
        # no offsets, no clipping: pulses, lag and rounding leave the mean
        links = ["jitter", "shot", "photomultiplier", "fast_scan", "quantisation"]
        chain = build(SETTINGS | {"chains": {"plain": links}}, "plain")
        _, distorted, _ = distort(chain, noise.keys(2, 24), clean, 0.5, electrons=1e4)
        ratio = distorted.mean(dim=(1, 2, 3)) / clean.mean(dim=(1, 2, 3))
        # jitter of up to 1.6 px repeats or skips rows of a wave: 2 %, all else below 0.2 %
        assert (ratio - 1).abs().max() < 0.03

    def test_effects_occur_as_often_as_configured(self):
        image = torch.ones(1, 1, 8, 8).expand(4000, 1, 8, 8)
        chain = build(SETTINGS, "stem")
        drawn = chain.sample(noise.keys(9, 4000), image, 0.1)
        for name, probability, _ in chain.effects:
            share = drawn[name]["occurs"].double().mean()
            assert abs(share - probability) <= 4.5 * np.sqrt(probability * (1 - probability) / 4000)

    def test_effects_occur_independently(self):
        image = torch.ones(1, 1, 8, 8).expand(4000, 1, 8, 8)
        drawn = build(SETTINGS, "tem").sample(noise.keys(9, 4000), image, 0.1)
        names = [name for name, probability, _ in build(SETTINGS, "tem").effects if 0 < probability < 1]
        occurs = np.corrcoef(np.stack([drawn[name]["occurs"].double().numpy() for name in names]))
        assert np.abs(occurs[np.triu_indices(len(names), 1)]).max() < 4.5 / np.sqrt(4000)

    def test_drawn_parameters_fill_their_ranges(self):
        image = torch.ones(1, 1, 8, 8).expand(2000, 1, 8, 8)
        drawn = build(SETTINGS, "stem").sample(noise.keys(9, 2000), image, 1.0)
        for link, name, (low, high) in (
            ("jitter", "phi_x", SETTINGS["effects"]["jitter"]["phi"]),
            ("fast_scan", "dwell_time", SETTINGS["effects"]["fast_scan"]["dwell_time"]),
            ("blur", "sigma", SETTINGS["effects"]["blur"]["sigma"]),
            ("row_lines", "factor", SETTINGS["effects"]["row_lines"]["factor"]),
        ):
            values = drawn[link][name].double()
            slack = 1e-6 * high
            assert low - slack <= values.min() <= low + 0.01 * (high - low)
            assert high - 0.01 * (high - low) <= values.max() <= high + slack


class TestConfiguration:
    def test_the_schema_knows_the_ranges_of_every_effect(self):
        # the schema closes the configuration before torch is loaded; this keeps it equal to the code
        entries = SCHEMA["properties"]["distortions"]["properties"]["effects"]["properties"]
        for name, reference in entries.items():
            known = set(SCHEMA["$defs"][reference["$ref"].rsplit("/", 1)[1]]["properties"])
            entry = SETTINGS["effects"][name]
            effect = SETTINGS["effects"][entry["like"]]["effect"] if "like" in entry else entry["effect"]
            fields = {field.name for field in dataclasses.fields(EFFECTS[effect])}
            assert known == fields | {"like", "effect", "probability"}, name

    def test_every_effect_is_in_a_chain(self):
        used = {link for links in SETTINGS["chains"].values() for link in links}
        assert used == set(SETTINGS["effects"])

    def test_effects_of_every_kind_are_tested(self):
        def kind(link):
            entry = SETTINGS["effects"][link]
            entry = SETTINGS["effects"].get(entry.get("like"), {}) | entry
            return entry["effect"], entry.get("readout"), entry.get("current") is None

        assert {kind(link) for name in KINDS for link in SETTINGS["chains"][name]} == {
            kind(link) for link in SETTINGS["effects"]
        }

    def test_sem_has_no_black_pixels(self):
        assert set(SETTINGS["chains"]["stem"]) - set(SETTINGS["chains"]["sem"]) == {"black_pixels"}

    def test_wrong_chains_differ_from_the_right_one_in_one_thing(self):
        right = SETTINGS["chains"]["stem"]
        for name, links in SETTINGS["chains"].items():
            if name.startswith("stem_wrong"):
                assert len(set(right) - set(links)) == 1
                assert len(set(links) - set(right)) <= 1

    @pytest.mark.parametrize(
        ("path", "leaf", "named"),
        [
            ("effects/blur/sigma", [1.0, 0.5], "runs downwards"),
            ("effects/jitter/phi", [0.0, 1.0], "effects/jitter/phi"),
            ("effects/jitter/index", "column", "effects/jitter/index"),
            ("effects/fast_scan_detector/like", "fast_scam", "fast_scam"),
            ("effects/fast_scan_detector/like", "jitter_small_y", "itself like another"),
            ("chains/stem", ["jitter", "shoot"], "shoot"),
        ],
    )
    def test_mistakes_are_named_before_anything_runs(self, path, leaf, named):
        wrong = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
        node = wrong["distortions"]
        for part in path.split("/"):
            node = node[part]
        node["value"] = leaf
        with pytest.raises(EmrestoreError, match=named):
            study.check(wrong, SCHEMA)

    def test_an_unknown_chain_for_the_pairs_is_named(self):
        wrong = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
        wrong["pairs"]["distortions"]["value"] = "poison"
        with pytest.raises(EmrestoreError, match="poison"):
            study.check(wrong, SCHEMA)

    def test_an_entry_without_one_of_its_keys_is_named(self):
        effects = SETTINGS["effects"] | {"blur": {"effect": "blur", "probability": 1.0}}
        with pytest.raises(EmrestoreError, match=r"effects/blur.*sigma"):
            build(SETTINGS | {"effects": effects}, "stem")

    def test_effects_out_of_order_are_refused(self):
        with pytest.raises(EmrestoreError, match="must follow the order"):
            build(SETTINGS | {"chains": {"odd": ["blur", "shot"]}}, "odd")


class TestBadInput:
    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (lambda image: image.fill_(-1), "negative"),
            (lambda image: image[0, 0, 0].fill_(torch.nan), "not finite"),
            (lambda image: image[0].zero_(), "zero everywhere"),
            (lambda image: image.squeeze_(1), r"\(N, 1, Y, X\)"),
            (lambda image: image.resize_(24, 1, 7, 64), "too small"),
        ],
    )
    def test_images_that_have_no_distortion_are_refused(self, clean, spoil, message):
        image = clean.clone()
        spoil(image)
        with pytest.raises(EmrestoreError, match=message):
            distort(build(SETTINGS, "stem"), noise.keys(1, 24), image, 0.1)

    @pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
    def test_pixel_size_and_dose_must_be_positive(self, clean, wrong):
        chain = build(SETTINGS, "stem")
        with pytest.raises(EmrestoreError, match="pixel size"):
            distort(chain, noise.keys(1, 24), clean, wrong)
        with pytest.raises(EmrestoreError, match="electrons at unit intensity"):
            distort(chain, noise.keys(1, 24), clean, 0.1, electrons=wrong)

    def test_a_missing_pixel_size_is_named(self, clean):
        with pytest.raises(EmrestoreError, match="pixel size is missing"):
            distort(build(SETTINGS, "stem"), noise.keys(1, 24), clean, None)

    @pytest.mark.parametrize("name", ["stem", "tem"])
    def test_constant_and_smallest_images_are_defined(self, always, name):
        for shape in ((8, 8), (9, 31)):
            _, distorted, _ = distort(build(always, name), noise.keys(1, 6), torch.full((6, 1, *shape), 0.3), 0.025)
            assert torch.isfinite(distorted).all()

    def test_sums_do_not_depend_on_the_batch(self):
        images = noise.uniform(noise.keys(1, 7), 1, 37, 53)
        assert torch.equal(total(images)[3:4], total(images[3:4]))
        assert torch.allclose(total(images), images.double().sum((1, 2, 3)), rtol=1e-12)
