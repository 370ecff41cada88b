"""Schematics of networks (Figs 9 and 10), drawn from the modules themselves.

A network is run once, without numbers (on PyTorch's ``meta`` device) where it was made there, and every step of its
data is recorded: modules by hooks, and what happens between them (concatenation, addition, activation) as PyTorch's
functions are called. Which tensors go where is followed by the tensors' identity, so boxes, labels and skip connections
are those of the code. A step that has no words here is refused, so that nothing is left out of a figure.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.textpath import TextPath
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from emrestore.errors import EmrestoreError
from emrestore.network.restorer import Restorer

#: What is drawn for functions between modules: kind and text.
FUNCTIONS = {
    "cat": ("join", "C"),
    "add": ("join", "+"),
    "relu": ("pointwise", "ReLU"),
    "relu_": ("pointwise", "ReLU"),
}
JOINS = {"C": "C: concatenation of features", "+": "+: sum"}
#: Functions that change nothing where they keep the shape: conversions, and edges that need no continuation.
UNSEEN = {"to", "pad", "__getitem__"}
COLOURS = {
    "end": "#FFFFFF",
    "convolution": "#D3E6F5",
    "resampling": "#FBE0C3",
    "block": "#D5EBDD",
    "join": "#FFFFFF",
    "pointwise": "#EEEEEE",
    "edge": "#EEEEEE",
}

# all lengths in mm
WIDTH, MARGIN, TITLE, SHAPES, BETWEEN, KEY = 180.0, 2.0, 5.5, 6.0, 3.0, 3.5
FONT, LINE, PAD, INDENT = 6.0, 2.55, 0.6, 1.2
RADIUS, LEVEL = 1.9, 2.6
#: Least and greatest length of the arrows between steps.
GAPS = (2.2, 8.0)
POINT = 25.4 / 72


@dataclass(frozen=True)
class Step:
    """One step of a network's data.

    Attributes
    ----------
    kind
        Key of :data:`COLOURS`.
    text
        Lines that describe it.
    inputs
        Numbers of the steps whose outputs it takes.
    shape
        Features, Y and X of its output.
    module
        What does it, if it is a module.
    times
        How often it follows itself.
    """

    kind: str
    text: tuple[str, ...]
    inputs: tuple[int, ...]
    shape: tuple[int, int, int]
    module: nn.Module | None = None
    times: int = 1


class _Recorder(TorchFunctionMode):
    """Records what happens to an image; functions inside of a recorded module are part of it."""

    def __init__(self, image: Tensor):
        super().__init__()
        self.steps = [Step("end", ("image",), (), tuple(image.shape[1:]))]
        self.made_by = {id(image): 0}
        self.alive = [image]  # an identity is given to another tensor once its own is gone
        self.depth = 0

    def add(self, kind: str, text: Sequence[str], inputs: Sequence[int], output: Tensor, module=None) -> None:
        self.made_by[id(output)] = len(self.steps)
        self.alive.append(output)
        self.steps.append(Step(kind, tuple(text), tuple(inputs), tuple(output.shape[1:]), module))

    def enter(self, module: nn.Module, inputs: tuple) -> None:
        self.depth += 1

    def leave(self, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        self.depth -= 1
        if not self.depth:
            kind, text = _words(module, inputs[0], output)
            self.add(kind, text, [self.made_by[id(inputs[0])]], output, module)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        output = function(*args, **(kwargs or {}))
        if self.depth or not isinstance(output, Tensor):
            return output
        given = args[0] if args and isinstance(args[0], list | tuple) else args
        inputs = [self.made_by[id(each)] for each in given if id(each) in self.made_by]
        name = function.__name__
        if name in FUNCTIONS:
            kind, text = FUNCTIONS[name]
            self.add(kind, [text], inputs, output)
        elif name in UNSEEN and inputs and tuple(output.shape[1:]) == self.steps[inputs[0]].shape:
            self.made_by[id(output)] = inputs[0]
            self.alive.append(output)
        elif inputs:
            raise EmrestoreError(f"networks with the function '{name}' cannot be drawn; give its words in FUNCTIONS")
        return output


def flow(network: nn.Module, shape: tuple[int, int, int], whole: tuple[type[nn.Module], ...] = ()) -> list[Step]:
    """Record the steps of a network's data.

    Parameters
    ----------
    network
        Any module of one input and one output; of a restorer, what it does to standardised images.
    shape
        Features, Y and X of its input.
    whole
        Modules that are one step each. Others are taken apart down to those without parts.

    Returns
    -------
    list of Step
        From the input to the output. Activations and normalisations are part of the step before, padding of the step
        after, and equal blocks in a row are one step.

    Raises
    ------
    EmrestoreError
        If something happens on the way that this module has no words for, or that is no row with skip connections.
    """
    image = torch.zeros(1, *shape, device=next(network.parameters()).device)
    compute: Callable = network.restore_standardised if isinstance(network, Restorer) else network
    recorder = _Recorder(image)
    hooks = []
    for module in network.modules():
        if module is not network and (isinstance(module, whole) or not [*module.children()]):
            hooks += [module.register_forward_pre_hook(recorder.enter), module.register_forward_hook(recorder.leave)]
    try:
        with torch.no_grad(), recorder:
            compute(image)
    finally:
        for hook in hooks:
            hook.remove()
    steps = _merged(recorder.steps)
    for number, step in enumerate(steps[1:]):
        if number not in step.inputs:
            name = " ".join(step.text)
            raise EmrestoreError(f"'{name}' does not take what the step before it gives: branches fit into no row")
    return steps


def _words(module: nn.Module, before: Tensor, after: Tensor) -> tuple[str, list[str]]:
    """Give kind and text of a module."""
    features = f"{before.shape[1]} → {after.shape[1]}"
    match module:
        case nn.Conv2d() | nn.ConvTranspose2d():
            text = ["transposed"] if isinstance(module, nn.ConvTranspose2d) else []
            stride = f", stride {module.stride[0]}" if module.stride[0] > 1 else ""
            text.append("conv {} × {}".format(*module.kernel_size) + stride)
            text += ["reflected edges"] if module.padding_mode == "reflect" else []
            return "resampling" if before.shape[2:] != after.shape[2:] else "convolution", [*text, features]
        case nn.ReflectionPad2d():
            return "edge", ["reflected edges"]
        case nn.InstanceNorm2d():
            return "pointwise", ["instance norm"]
        case nn.LeakyReLU():
            return "pointwise", [f"leaky ReLU {module.negative_slope:g}"]
        case nn.ReLU():
            return "pointwise", ["ReLU"]
    if not [*module.children()]:
        raise EmrestoreError(f"networks with {type(module).__name__} cannot be drawn; give its words in _words")
    return "block", [_name(type(module)), features]


def _name(kind: type[nn.Module]) -> str:
    """Write a name of several words as words."""
    name = re.sub("(?<=[a-z])(?=[A-Z])", " ", kind.__name__)
    return name.lower() if " " in name else name


def _merged(steps: Sequence[Step]) -> list[Step]:
    """Put together what belongs together, see :func:`flow`."""
    users = Counter(source for step in steps for source in step.inputs)
    made: list[Step] = []
    place: list[int] = []
    for step in steps:
        last = made[-1] if made else step
        alone = len(step.inputs) == 1 and users[step.inputs[0]] == 1 and place[step.inputs[0]] == len(made) - 1
        if alone and step.kind == "pointwise" and last.kind != "end":
            made[-1] = replace(last, text=last.text + step.text)
        elif alone and last.kind == "edge":
            # between the kernel and the features, as of convolutions that continue edges themselves
            text = (*step.text[:-1], *last.text, step.text[-1])
            before = steps[step.inputs[0]].inputs[0]
            kind = "resampling" if step.shape[1:] != steps[before].shape[1:] else "convolution"
            made[-1] = replace(step, kind=kind, text=text, inputs=last.inputs)
        elif alone and step.kind == last.kind == "block" and step.text == last.text:
            made[-1] = replace(last, times=last.times + 1)
        else:
            made.append(replace(step, inputs=tuple(place[source] for source in step.inputs)))
        place.append(len(made) - 1)
    return made


def patch_edge(network: nn.Module) -> int:
    """Give the edge of the patch [px] that one output of a chain of convolutions depends on."""
    edge = 1
    for module in reversed([*network.modules()]):
        if isinstance(module, nn.Conv2d):
            edge = (edge - 1) * module.stride[0] + module.kernel_size[0]
    return edge


def panels(
    network: nn.Module, edge: int, ends: tuple[str, str], blocks: Sequence[type[nn.Module]] = ()
) -> list[tuple[str, list[Step]]]:
    """Take a network apart: whole, and the first of each kind of its blocks.

    Parameters
    ----------
    network
        What is drawn.
    edge
        Of its input image [px].
    ends
        Words for what goes in and what comes out.
    blocks
        Kinds of blocks from the outermost to the innermost; each gets a panel and is one step in the one before.

    Returns
    -------
    list of (title, steps)
        For :func:`architecture_figure`.
    """
    channels = next(module.in_channels for module in network.modules() if isinstance(module, nn.Conv2d))
    module, shape = network, (channels, edge, edge)
    found = []
    for place, kind in enumerate([type(network), *blocks]):
        inner = tuple(blocks[place : place + 1])
        steps = flow(module, shape, inner)
        given, result = ends if module is network else ("features", "features")
        closing = Step("end", tuple(result.split("\n")), (len(steps) - 1,), steps[-1].shape)
        whole = [replace(steps[0], text=tuple(given.split("\n"))), *steps[1:], closing]
        size = f"{sum(parameter.numel() for parameter in module.parameters()):,} parameters"
        count = sum(isinstance(each, kind) for each in network.modules())
        title = size if module is network else f"{count} in the network, the first has {size}"
        found.append((f"{_name(kind)}: {title}", whole))
        if inner:
            first = next(step for step in steps if isinstance(step.module, inner))
            module, shape = first.module, steps[first.inputs[0]].shape
    return found


def architecture_figure(drawn: Sequence[tuple[str, Sequence[Step]]], upright: bool = True) -> Figure:
    """Draw panels one below the other, each a row of steps with its skip connections above.

    Parameters
    ----------
    drawn
        What :func:`panels` gives.
    upright
        Whether boxes are narrow and their text runs upwards, for many steps; or along the row, for few.

    Returns
    -------
    Figure
        180 mm wide, or wider where the steps of a row need it.
    """
    heights = [_height(steps, upright) for _, steps in drawn]
    sizes = [[_size(step, upright) for step in steps] for _, steps in drawn]
    buses = [_buses(steps) for _, steps in drawn]
    width = max(WIDTH, *(sum(row) + (len(row) - 1) * GAPS[0] + 2 * MARGIN for row in sizes))
    above = [TITLE + LEVEL * max((level for *_, level in rows), default=0) for rows in buses]
    total = sum(above) + sum(heights) + len(drawn) * SHAPES + (len(drawn) - 1) * BETWEEN + KEY
    inch = 1 / 25.4
    figure = plt.figure(figsize=(width * inch, total * inch), layout=PlaceHolderLayoutEngine(False, False))
    axis = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, total))
    axis.set_axis_off()
    top = total
    for place, ((title, steps), height, row, rows) in enumerate(zip(drawn, heights, sizes, buses, strict=True)):
        letter = f"({chr(ord('a') + place)}) " if len(drawn) > 1 else ""
        axis.text(MARGIN, top - 0.5, letter + title[0].upper() + title[1:], va="top", fontsize=8)
        middle = top - above[place] - height / 2
        gap = min(max((width - 2 * MARGIN - sum(row)) / (len(row) - 1), GAPS[0]), GAPS[1])
        _row(axis, steps, row, rows, gap, middle, height, upright)
        top = middle - height / 2 - SHAPES - BETWEEN
    joins = {step.text[0] for _, steps in drawn for step in steps if step.kind == "join"}
    key = [text for join, text in JOINS.items() if join in joins]
    key.append("below a step: features and edge [px] of its output, where they change")
    axis.text(MARGIN, 0.7, "; ".join(key), va="bottom", fontsize=FONT, color="#444444")
    return figure


def _row(axis, steps, row, buses, gap, middle, height, upright) -> None:
    lefts = [MARGIN + sum(row[:number]) + number * gap for number in range(len(row))]
    arrow = dict(arrowstyle="-|>,head_width=0.12,head_length=0.22", linewidth=0.7, shrinkA=0, shrinkB=0, color="black")
    shown = None
    for step, left, size in zip(steps, lefts, row, strict=True):
        centre = left + size / 2
        if step.kind == "join":
            axis.add_patch(Circle((centre, middle), RADIUS, facecolor="white", edgecolor="black", linewidth=0.7))
        else:
            box = FancyBboxPatch((left, middle - height / 2), size, height, boxstyle="round,pad=0,rounding_size=0.6")
            box.set(facecolor=COLOURS[step.kind], edgecolor="black", linewidth=0.7)
            axis.add_patch(box)
        text = "\n".join(_lines(step))
        turn = 90 if upright and step.kind != "join" else 0
        axis.text(centre, middle, text, rotation=turn, ha="center", va="center", ma="center", fontsize=FONT)
        if step.shape != shown:
            features, y, x = shown = step.shape
            below = middle - (RADIUS if step.kind == "join" else height / 2) - 0.7
            axis.text(
                centre,
                below,
                f"{features}\n" + (f"{y}²" if y == x else f"{y} × {x}"),
                ha="center",
                va="top",
                fontsize=FONT,
                linespacing=1.05,
                color="#444444",
            )
        if left > lefts[0]:
            axis.annotate("", (left, middle), (left - gap, middle), arrowprops=arrow)
    for target, sources, level in buses:
        end, over = lefts[target] + row[target] / 2, middle + height / 2 + level * LEVEL
        starts = [lefts[source] + row[source] + 0.35 * gap for source in sources]
        axis.plot([min(starts), end], [over, over], color="black", linewidth=0.7, solid_capstyle="projecting")
        for start in starts:
            axis.plot([start, start], [middle, over], color="black", linewidth=0.7)
            axis.plot(start, middle, "o", color="black", markersize=1.8)
        axis.annotate("", (end, middle + RADIUS), (end, over), arrowprops=arrow)


def _buses(steps: Sequence[Step]) -> list[tuple[int, list[int], int]]:
    """Give target, sources and level of the connections that skip steps; the longer one is above the shorter."""
    found = []
    for target, step in enumerate(steps):
        if skipped := sorted({source for source in step.inputs if source < target - 1}):
            found.append((target, skipped))
    placed: list[tuple[int, list[int], int]] = []
    for target, sources in sorted(found, key=lambda bus: bus[0] - bus[1][0]):
        under = [level for other, others, level in placed if others[0] < target and sources[0] < other]
        placed.append((target, sources, 1 + max(under, default=0)))
    return placed


def _lines(step: Step) -> tuple[str, ...]:
    return (f"{step.times} × {step.text[0]}", *step.text[1:]) if step.times > 1 else step.text


def _height(steps: Sequence[Step], upright: bool) -> float:
    texts = [_lines(step) for step in steps if step.kind != "join"]
    if upright:
        return max(_length(line) for text in texts for line in text) + 2 * INDENT
    return max(map(len, texts)) * LINE + 2 * PAD


def _size(step: Step, upright: bool) -> float:
    if step.kind == "join":
        return 2 * RADIUS
    return len(_lines(step)) * LINE + 2 * PAD if upright else max(map(_length, _lines(step))) + 2 * INDENT


def _length(text: str) -> float:
    return TextPath((0, 0), text, size=FONT, prop=FontProperties()).get_extents().width * POINT
