"""Schematics say what the modules do."""

import importlib.util
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.patches import FancyBboxPatch
from torch import nn

from emrestore.errors import EmrestoreError
from emrestore.network.cgrdn import CGRDN, GRDB, GRDN, RDB
from emrestore.network.discriminator import PatchDiscriminator
from emrestore.network.unet import Compact, ResidualBlock
from emrestore.plot.architecture import architecture_figure, flow, panels, patch_edge
from emrestore.plot.style import style

SMALL = dict(features=4, growth=2, layers=3, blocks=2, groups=3)


def drawn(steps):
    return [(" ".join(step.text), step.inputs, step.shape) for step in steps[1:]]


def test_cgrdn_joins_what_its_equations_join():
    steps = drawn(flow(CGRDN(**SMALL), (1, 16, 12), (GRDB,)))
    half = (4, 8, 6)
    assert steps == [
        ("conv 3 × 3 1 → 4", (0,), (4, 16, 12)),
        ("conv 4 × 4, stride 2 4 → 4", (1,), half),
        ("GRDB 4 → 4", (2,), half),
        ("GRDB 4 → 4", (3,), half),
        ("GRDB 4 → 4", (4,), half),
        ("C", (3, 4, 5), (12, 8, 6)),
        ("conv 1 × 1 12 → 4", (6,), half),
        ("+", (2, 7), half),
        ("transposed conv 4 × 4, stride 2 4 → 4", (8,), (4, 16, 12)),
        ("conv 3 × 3 4 → 1", (9,), (1, 16, 12)),
        ("+", (0, 10), (1, 16, 12)),
    ]


def test_its_parent_is_drawn_without_the_concatenation():
    steps = flow(GRDN(**SMALL), (1, 16, 12), (GRDB,))
    # equal blocks in a row are one step where nothing else takes what they give
    assert [step.text[0] for step in steps[3:5]] == ["GRDB", "transposed"]
    assert steps[3].times == 3
    assert not any(step.text == ("C",) for step in steps)


@pytest.mark.parametrize(("growth", "layers"), [(2, 3), (5, 2)])
def test_rdb_grows_by_its_own_width_at_each_of_its_own_layers(growth, layers):
    steps = drawn(flow(RDB(4, growth, layers), (4, 8, 8)))
    known = 4
    for layer in range(layers):
        (words, _, _), (join, inputs, shape) = steps[2 * layer : 2 * layer + 2]
        assert words == f"conv 3 × 3 {known} → {growth} ReLU"
        known += growth
        assert (join, inputs, shape) == ("C", (2 * layer, 2 * layer + 1), (known, 8, 8))
    assert steps[2 * layers :] == [
        (f"conv 1 × 1 {known} → 4", (2 * layers,), (4, 8, 8)),
        ("+", (0, 2 * layers + 1), (4, 8, 8)),
    ]


def test_compact_adds_on_the_way_up_what_it_kept_on_the_way_down():
    network = Compact(widths=(4, 6, 8), blocks=2)
    steps = flow(network, (1, 16, 16), (ResidualBlock,))
    joins = [step.inputs for step in steps if step.kind == "join"]
    kept = [number for number, step in enumerate(steps) if step.text[0] == "residual block"]
    assert [steps[number].times for number in kept] == [2, 2, 4, 2, 2]
    assert [min(inputs) for inputs in joins] == [kept[1], kept[0], 0]
    assert drawn(flow(ResidualBlock(4), (4, 8, 8))) == [
        ("conv 3 × 3 4 → 4 ReLU", (0,), (4, 8, 8)),
        ("conv 3 × 3 4 → 4", (1,), (4, 8, 8)),
        ("+", (0, 2), (4, 8, 8)),
    ]


def test_discriminator_of_the_paper():
    with torch.device("meta"):
        network = PatchDiscriminator()
    steps = flow(network, (1, 256, 256))
    # a map of 32 x 32 from patches of 70 x 70 (text above Eq. 2), and instance norm within
    assert steps[-1].shape == (1, 32, 32)
    assert patch_edge(network) == 70
    assert [step.shape[0] for step in steps] == [1, 64, 128, 256, 512, 1]
    assert ["instance norm" in step.text for step in steps] == [False, False, True, True, True, False]
    assert all("reflected edges" in step.text for step in steps[1:])


def test_patches_follow_kernels_and_strides():
    # two outputs of the second layer, 2 px apart, would see 2 (3 - 1) + 4 = 8 px
    assert patch_edge(nn.Sequential(nn.Conv2d(1, 1, 4, stride=2), nn.Conv2d(1, 1, 3))) == 8


def test_what_cannot_be_drawn_is_refused():
    class Odd(nn.Module):
        def __init__(self, between):
            super().__init__()
            self.one, self.two, self.between = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1), between

        def forward(self, x):
            return self.between(self.one, self.two, x)

    for between, words in (
        (lambda one, two, x: one(x) * two(x), "function 'mul'"),
        (lambda one, two, x: one(x) + two(x), "branches"),
        (lambda one, two, x: two(one(x)[..., 1:]), "function '__getitem__'"),
        (lambda one, two, x: nn.functional.softplus(one(x)), "function 'softplus'"),
    ):
        with pytest.raises(EmrestoreError, match=words):
            flow(Odd(between), (1, 8, 8))
    with pytest.raises(EmrestoreError, match="GELU"):
        flow(nn.Sequential(nn.Conv2d(1, 1, 1), nn.GELU()), (1, 8, 8))


def test_hooks_are_gone_afterwards():
    network = RDB(4, 2, 1)
    flow(network, (4, 8, 8))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize(
    ("kind", "blocks", "upright"),
    [(CGRDN, (GRDB, RDB), True), (PatchDiscriminator, (), False), (Compact, (ResidualBlock,), True)],
)
def test_figures_fit_a_page_and_no_text_touches_another(kind, blocks, upright):
    with torch.device("meta"):
        network = kind()
    with style():
        figure = architecture_figure(panels(network, 256, ("image", "image"), blocks), upright)
        figure.draw_without_rendering()
        texts = [text for text in figure.axes[0].texts if text.get_text()]
        places = [text.get_window_extent() for text in texts]
        boxes = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]
        frames = [patch.get_window_extent() for patch in boxes]
        width, height = figure.bbox.width, figure.bbox.height
        plt.close(figure)
    assert figure.get_figwidth() * 25.4 == pytest.approx(180)
    assert min(text.get_fontsize() for text in texts) >= 5.5
    assert len(boxes) > 5
    assert all(place.x0 >= 0 and place.x1 <= width and place.y0 >= 0 and place.y1 <= height for place in places)
    for (text, one), (other, two) in combinations(zip(texts, places, strict=True), 2):
        assert not one.overlaps(two), (text.get_text(), other.get_text())
    for text, place in zip(texts, places, strict=True):
        for frame in frames:
            within = frame.x0 <= place.x0 and place.x1 <= frame.x1 and frame.y0 <= place.y0 and place.y1 <= frame.y1
            assert within or not frame.overlaps(place), text.get_text()


def test_script_draws_each_network_it_offers(tmp_path):
    path = Path(__file__).parents[2] / "src/scripts/plot_architecture.py"
    specification = importlib.util.spec_from_file_location("plot_architecture", path)
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    for name in script.DRAWN:
        script.main(tmp_path / f"{name}.png", tmp_path / f"{name}.pdf", network=name, edge=64)
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
