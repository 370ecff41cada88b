"""Whole images: the effects of a chain, drawn and imposed in order."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.annotation import Annotations
from emrestore.distort.blur import Blur
from emrestore.distort.cropping import Cropping
from emrestore.distort.dark_current import DarkCurrent
from emrestore.distort.digitise import Quantisation, Rectification, Saturation
from emrestore.distort.effect import Effect, Parameters, Scene, column, select, total
from emrestore.distort.fast_scan import FastScan
from emrestore.distort.fixed_pattern import FixedPattern
from emrestore.distort.interpolation import Interpolation
from emrestore.distort.jitter import Jitter
from emrestore.distort.mtf import Mtf
from emrestore.distort.photomultiplier import Photomultiplier
from emrestore.distort.readout import Flicker, Reset, Thermal
from emrestore.distort.row_lines import RowLines
from emrestore.distort.shot import Exposure, Shot
from emrestore.distort.spots import Spots, Zingers
from emrestore.errors import EmrestoreError

#: What an entry of the configuration may ask for as its ``effect``.
EFFECTS: dict[str, type] = {
    "mtf": Mtf,
    "jitter": Jitter,
    "shot": Shot,
    "fixed_pattern": FixedPattern,
    "dark_current": DarkCurrent,
    "thermal": Thermal,
    "flicker": Flicker,
    "reset": Reset,
    "photomultiplier": Photomultiplier,
    "fast_scan": FastScan,
    "row_lines": RowLines,
    "black_pixels": Spots,
    "zingers": Zingers,
    "saturation": Saturation,
    "rectification": Rectification,
    "quantisation": Quantisation,
    "interpolation": Interpolation,
    "blur": Blur,
    "annotations": Annotations,
    "cropping": Cropping,
}
STAGES = ("specimen", "recording", "processing")
#: Images that are worked on at a time on a CPU: their fields stay in its cache, which doubles the speed.
BATCH = 4
#: Smallest image that all effects are defined for [px].
SMALLEST = 8


@dataclass(frozen=True)
class Chain:
    """Effects in the order in which they happen, each with its probability.

    Attributes
    ----------
    exposure
        Distribution of the dose.
    effects
        Name, probability and effect of each link; stages in the order of :data:`STAGES`.
    """

    exposure: Exposure
    effects: tuple[tuple[str, float, Effect], ...]

    def __post_init__(self) -> None:
        stages = [STAGES.index(effect.stage) for _, _, effect in self.effects]
        if stages != sorted(stages):
            order = ", ".join(f"{name} ({effect.stage})" for name, _, effect in self.effects)
            raise EmrestoreError(f"effects must follow the order {', '.join(STAGES)}, not {order}")

    def sample(
        self, keys: Tensor, clean: Tensor, pixel_size: Tensor | float, electrons: Tensor | float | None = None
    ) -> dict[str, Parameters]:
        """Draw everything that the distortion of a batch takes.

        Parameters
        ----------
        keys
            (N,) int64, one per image: :func:`emrestore.distort.noise.keys`.
        clean
            (N, 1, Y, X) clean images, not negative.
        pixel_size
            Edge of a pixel [Å], one or (N,).
        electrons
            Electrons per pixel at unit intensity, one or (N,), where the dose is given and not drawn; for intensities
            that are fractions of the incident beam, dose [e/Å²] x pixel area.

        Returns
        -------
        dict
            For each link and for ``exposure`` a dict of tensors with N rows, all that :func:`apply` needs.

        Raises
        ------
        EmrestoreError
            If images, pixel size or dose are not what they should be.
        """
        _check(clean)
        pixel_size = _per_image(pixel_size, "the pixel size", clean)
        flat = clean.flatten(1)
        mean = (total(flat) / flat.shape[1]).float()
        if electrons is None:
            electrons = self.exposure.sample(noise.subkeys(keys, "exposure"), mean)
        electrons = _per_image(electrons, "the number of electrons at unit intensity", clean)
        scene = Scene(tuple(clean.shape[-2:]), pixel_size, flat.amax(1), flat.median(1).values, electrons)
        drawn = {"exposure": {"electrons": scene.electrons, "pixel_size": scene.pixel_size}}
        for name, probability, effect in self.effects:
            occurs = noise.uniform(noise.subkeys(keys, name, "occurs")) < probability
            drawn[name] = {"occurs": occurs} | effect.sample(noise.subkeys(keys, name), scene)
        return drawn

    def apply(self, clean: Tensor, drawn: Mapping[str, Parameters]) -> tuple[Tensor, Tensor]:
        """Impose drawn parameters.

        Returns
        -------
        truth, distorted : Tensor
            (N, 1, Y, X) float32 each, in units of the clean images: what restoration should give, and what it gets.
        """
        step = BATCH if clean.device.type == "cpu" else max(1, len(clean))
        parts = [
            self._apply(
                clean[first : first + step].float(),
                {name: select(values, slice(first, first + step)) for name, values in drawn.items()},
            )
            for first in range(0, len(clean), step)
        ]
        truth, distorted = zip(*parts, strict=True)
        return torch.cat(truth), torch.cat(distorted)

    def _apply(self, clean: Tensor, drawn: Mapping[str, Parameters]) -> tuple[Tensor, Tensor]:
        electrons = column(drawn["exposure"]["electrons"])
        truth = distorted = clean
        for stage in STAGES:
            if stage == "recording":
                distorted = truth * electrons
            elif stage == "processing":
                distorted = distorted / electrons
            for name, _, effect in self.effects:
                if effect.stage == stage:
                    distorted = _where(effect, distorted, drawn[name])
                    truth = _where(effect, truth, drawn[name]) if effect.both else truth
        return truth, distorted


def build(settings: Mapping, name: str) -> Chain:
    """Build a chain from the branch ``distortions`` of a configuration (units and sources stripped).

    Parameters
    ----------
    settings
        ``exposure``, ``effects`` (entries with ``effect``, ``probability`` and ranges, or the entry that one is
        ``like`` and what differs) and ``chains`` (names of entries).
    name
        Which chain.

    Raises
    ------
    EmrestoreError
        If there is no such chain or entry, or an entry's keys are not those of its effect.
    """
    chain = _entry(settings["chains"], name, "distortions/chains")
    effects = []
    for link in chain:
        entry = dict(_entry(settings["effects"], link, "distortions/effects"))
        if "like" in entry:
            entry = dict(_entry(settings["effects"], entry.pop("like"), f"distortions/effects/{link}/like")) | entry
        kind, probability = entry.pop("effect"), entry.pop("probability")
        known = _entry(EFFECTS, kind, f"distortions/effects/{link}/effect")
        if set(entry) != (wanted := {field.name for field in fields(known)}):
            wrong = ", ".join(sorted(set(entry) ^ wanted))
            raise EmrestoreError(f"config key 'distortions/effects/{link}': missing or unknown: {wrong}")
        effects.append((link, probability, known(**entry)))
    return Chain(Exposure(**settings["exposure"]), tuple(effects))


def distort(
    chain: Chain, keys: Tensor, clean: Tensor, pixel_size: Tensor | float, electrons: Tensor | float | None = None
) -> tuple[Tensor, Tensor, dict[str, Parameters]]:
    """Draw and impose: truth, distorted, parameters. See :class:`Chain`."""
    drawn = chain.sample(keys, clean, pixel_size, electrons)
    return *chain.apply(clean, drawn), drawn


def flatten(drawn: Mapping[str, Parameters]) -> dict[str, Tensor]:
    """Name every parameter ``link.parameter``, as a table or an array file holds them."""
    return {f"{link}.{name}": values for link, parameters in drawn.items() for name, values in parameters.items()}


def unflatten(table: Mapping[str, Tensor]) -> dict[str, Parameters]:
    """Undo :func:`flatten`."""
    drawn: dict[str, Parameters] = {}
    for address, values in table.items():
        link, _, name = address.partition(".")
        drawn.setdefault(link, {})[name] = values
    return drawn


def _entry(branch: Mapping, name: str, path: str):
    if name not in branch:
        raise EmrestoreError(f"config key '{path}': '{name}' is not one of {', '.join(branch)}")
    return branch[name]


def _where(effect: Effect, image: Tensor, parameters: Parameters) -> Tensor:
    """Apply to the images for which the effect occurs."""
    parameters = dict(parameters)
    occurs = parameters.pop("occurs")
    if occurs.all():
        return effect.apply(image, parameters)
    if not occurs.any():
        return image
    image = image.clone()
    image[occurs] = effect.apply(image[occurs], select(parameters, occurs))
    return image


def _per_image(values: Tensor | float | None, name: str, clean: Tensor) -> Tensor:
    if values is None:
        raise EmrestoreError(f"{name} is missing; give it in its unit, one number or one for each image")
    values = torch.as_tensor(values, dtype=torch.float32, device=clean.device).expand(len(clean))
    if not (torch.isfinite(values) & (values > 0)).all():
        raise EmrestoreError(f"{name} must be positive and finite for every image")
    return values


def _check(clean: Tensor) -> None:
    """Refuse images that have no defined distortion."""
    if clean.ndim != 4 or clean.shape[1] != 1 or not len(clean):
        raise EmrestoreError(f"clean images must have the shape (N, 1, Y, X), not {tuple(clean.shape)}")
    ny, nx = clean.shape[-2:]
    if min(ny, nx) < SMALLEST:
        raise EmrestoreError(f"images of {ny} x {nx} pixels are too small to distort: at least {SMALLEST} x {SMALLEST}")
    if not torch.isfinite(clean).all():
        raise EmrestoreError("clean images hold values that are not finite (NaN or infinity)")
    if (clean < 0).any():
        raise EmrestoreError("clean images hold negative intensities; shift or clip them first")
    if not (clean.flatten(1).amax(1) > 0).all():
        raise EmrestoreError("a clean image is zero everywhere, so that no dose gives it a mean")
