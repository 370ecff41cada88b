"""Training: one loop for all networks, on one processor or many devices.

A step draws crops and distortions by its own number, so a run that is killed and goes on from its checkpoint ends with
the weights of one that was not (on a CPU, to the bit).
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from emrestore import rng
from emrestore.distort import chain as chains
from emrestore.distort import noise
from emrestore.errors import EmrestoreError
from emrestore.network.discriminator import PatchDiscriminator
from emrestore.network.restorer import Restorer
from emrestore.train import checkpoint, data, losses
from emrestore.train.muon import Muon

#: Least deviation that a distorted crop is divided by, over its greatest intensity: a flat crop stays finite.
FLAT = 1e-6
Progress = Callable[[dict], None]
#: Called with distorted, restored and true crops, (N, 3, Y, X).
Show = Callable[[Tensor], None]


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes
    ----------
    steps
        Optimiser steps.
    batch
        Crops of a step, over all devices.
    crop
        Edge of a crop [px].
    optimiser
        ``adamw`` or ``muon``, of the network; a discriminator has AdamW.
    learning_rate
        Greatest learning rate, which falls to nothing as a cosine after a linear rise over ``warm_up`` steps.
    weight_decay
        Of the optimiser, decoupled.
    clip
        Greatest norm of the gradient.
    average
        Share of a running average of weights that each step keeps; 0: none. The average, if any, is what is validated
        and returned.
    share
        What is returned, and validated last, lies so far on the straight way from the weights that the network begins
        with to those at the end (Wortsman et al., Robust fine-tuning of zero-shot models, 2022); 1: at the end. A run
        that has ended gives another share without another step.
    limit
        Standard deviations of the loss, as followed so far, above its mean to which a step's loss is scaled down
        (adaptive learning-rate clipping, Ede and Beanland 2020); 0: never.
    critic
        Features of the discriminator's first layer.
    bad_steps
        Steps in a row with a loss or gradient that is not finite, which are skipped, until the run gives up.
    validate, save
        Steps between validations, and between checkpoints.
    """

    steps: int
    batch: int
    crop: int
    optimiser: str
    learning_rate: float
    warm_up: int
    weight_decay: float
    clip: float
    average: float
    share: float
    limit: float
    critic: int
    bad_steps: int
    validate: int
    save: int


@dataclass
class Run:
    """What a run is, and how far it is: steps, skipped ones, terms of the loss summed since the last validation.

    ``seconds`` is the time of all steps and validations, ``drawing`` what the drawing of crops and distortions took of
    it; ``attempts`` say at which ``step`` each process began, and what the caller says of it.
    """

    identity: dict
    attempts: list[dict] = field(default_factory=list)
    step: int = 0
    skipped: int = 0
    bad: int = 0
    seconds: float = 0.0
    drawing: float = 0.0
    loss_mean: float = 0.0
    loss_square: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    counted: int = 0
    history: list[dict] = field(default_factory=list)


def train(
    network: Restorer,
    pool: data.Pool,
    validation: data.Pool,
    chain: chains.Chain,
    weights: losses.Weights,
    terms: losses.Settings,
    settings: Settings,
    folder: Path,
    seed: int,
    *address: rng.Part,
    origin: str = "",
    recipe: Mapping[str, str] = MappingProxyType({}),
    attempt: Mapping = MappingProxyType({}),
    fabric: Fabric | None = None,
    progress: Progress = lambda row: None,
    show: Show = lambda panels: None,
) -> tuple[Restorer, pd.DataFrame]:
    """Train a network, from the folder's checkpoint where there is one.

    A discriminator that trains along keeps the rate that the network's rises to and falls from.

    Parameters
    ----------
    network
        To train.
    pool, validation
        Clean images of the two splits.
    chain
        What distorts them.
    weights, terms
        Of the loss; with a weight of the adversarial term a discriminator trains along.
    settings
        How.
    folder
        Where the checkpoint is kept.
    seed, address
        Of the run.
    origin
        Digest of the weights that the network starts from, where they are not random.
    recipe
        What else decides the crops and the arithmetic, by name: digests of clean images and distortions, precision.
    attempt
        What the checkpoint says of this process beside the step that it began with, JSON: time and commit, say. A run
        that was finished with another ``code`` begins anew, and its checkpoint is put aside; one that was not finished
        goes on.
    fabric
        Devices and precision; the processor in float32 unless given. Its loggers get each row of the history.
    progress
        Called with each row of the history, and with ``step``, ``steps`` and ``crops_per_second`` in between.
    show
        Called at each validation with the first validation crops: distorted, restored, undistorted.

    Returns
    -------
    network : Restorer
        With the weights of the last step, or their running average, or a share of the way to them.
    history : DataFrame
        A row per validation: step, crops, seconds, ``drawing`` (share of them that drawing crops and distortions took),
        terms of the loss (means since the row before), learning rate, ``psnr_raw`` and ``psnr`` [dB] of the validation
        crops. Its ``attrs`` have ``attempts``: the step that each process began with, and what was said of it.

    Raises
    ------
    EmrestoreError
        If there is no step to take, the checkpoint is of another run, or too many steps in a row were not finite.
    """
    if settings.steps < 1:
        raise EmrestoreError(f"fewer crops than a batch of {settings.batch} are no training; ask for more")
    if settings.limit and weights.log_rmse:
        raise EmrestoreError("a logarithm has no scale to be brought down to: with log_rmse the limit must be 0")
    fabric = fabric or Fabric(accelerator="cpu", devices=1)
    folder.mkdir(parents=True, exist_ok=True)
    if settings.batch % fabric.world_size:
        raise EmrestoreError(f"a batch of {settings.batch} crops cannot be shared by {fabric.world_size} devices")
    identity = {
        "architecture": type(network).__name__,
        "arguments": network.arguments,
        "weights": asdict(weights),
        "terms": asdict(terms) | {"windows": list(terms.windows)},
        "settings": {key: value for key, value in asdict(settings).items() if key not in AFTERWARDS},
        "seed": seed,
        "address": rng.address(*address),
        "origin": origin,
        **recipe,
    }
    network = network.to(memory_format=torch.channels_last)
    average = _copy(network) if settings.average else network
    beginning = _copy(network).to(fabric.device)
    modules, optimisers = {"network": network}, {"optimiser": _optimiser(network, settings)}
    if settings.average:
        modules["average"] = average
    if weights.adversarial:
        modules["discriminator"] = PatchDiscriminator(width=settings.critic)
        optimisers["discriminator_optimiser"] = _adam(modules["discriminator"], settings)
    run = Run(identity)
    saved = folder / "checkpoint.safetensors"
    stale = saved.exists() and _stale(saved, attempt)
    fabric.barrier()  # all have looked before it goes
    if stale and fabric.global_rank == 0:
        saved.replace(saved.with_stem("checkpoint-of-other-code"))
    if not stale and saved.exists():
        run = _continue(saved, run, modules, optimisers)
    run.attempts.append({"step": run.step, **attempt})
    wrapped, optimiser = fabric.setup(network, optimisers["optimiser"])
    average.to(fabric.device)
    critic = None
    if weights.adversarial:
        critic = fabric.setup(modules["discriminator"], optimisers["discriminator_optimiser"])
    fixed = (*address, "validation")
    truth, distorted, told = _pairs(validation, chain, settings.crop, 0, VALIDATED, fabric.device, seed, *fixed)
    raw = float(_psnr(distorted, truth).mean())
    started = ticked = time.monotonic()
    counted_from = run.step
    share = settings.batch // fabric.world_size
    while run.step < settings.steps:
        first = run.step * settings.batch + fabric.global_rank * share
        begun = time.monotonic()
        clean, noisy, disorder = _pairs(
            pool, chain, settings.crop, first, share, fabric.device, seed, *address, "crops"
        )
        run.drawing += time.monotonic() - begun
        for group in optimiser.param_groups:
            group["lr"] = _rate(run.step, settings)
        found = _step(fabric, wrapped, optimiser, critic, clean, noisy, disorder, weights, terms, settings, run)
        run.step += 1
        if found is None:
            run.skipped, run.bad = run.skipped + 1, run.bad + 1
            if run.bad >= settings.bad_steps:
                raise EmrestoreError(
                    f"{run.bad} steps in a row had a loss or gradient that is not finite, the last being step "
                    f"{run.step}; lower the learning rate"
                    + (f". The last good checkpoint is {saved}" if saved.exists() else "")
                )
        else:
            run.bad = 0
            if settings.average:
                _follow(average, network, settings.average if run.step > settings.warm_up else 0.0)
            run.sums = {name: run.sums.get(name, 0.0) + value for name, value in found.items()}
            run.counted += 1
        done = run.step == settings.steps
        if done or run.step % settings.validate == 0:
            run.seconds += time.monotonic() - started
            started, counted_from = time.monotonic(), run.step
            row = {"step": run.step, "crops": run.step * settings.batch, "seconds": round(run.seconds, 1)}
            row["drawing"] = run.drawing / run.seconds
            row |= {name: value / max(run.counted, 1) for name, value in run.sums.items()}
            row |= {"learning_rate": optimiser.param_groups[0]["lr"], "skipped": run.skipped, "psnr_raw": raw}
            with torch.no_grad():
                restored = _restored(average, distorted, told)
            row["psnr"] = float(_psnr(restored, truth).mean())
            run.history.append(row)
            run.sums, run.counted = {}, 0
            progress(row)
            fabric.log_dict(row, run.step)
            show(torch.cat([distorted, restored, truth], dim=1)[:SHOWN].cpu())
        elif time.monotonic() - ticked > 1:
            ticked = time.monotonic()
            rate = (run.step - counted_from) * settings.batch / (ticked - started)
            progress({"step": run.step, "steps": settings.steps, "crops_per_second": rate})
        if fabric.global_rank == 0 and run.bad == 0 and (done or run.step % settings.save == 0):
            run.seconds += time.monotonic() - started
            started, counted_from = time.monotonic(), run.step
            checkpoint.save(saved, modules, optimisers, asdict(run))
    history = pd.DataFrame(run.history)
    history.attrs["attempts"] = run.attempts
    if settings.share == 1:
        return average, history
    between = _between(beginning, average, settings.share)
    with torch.no_grad():
        psnr = float(_psnr(_restored(between, distorted, told), truth).mean())
    history.loc[history.index[-1], "psnr"] = psnr
    return between, history


#: Settings that leave a run the one that it is: the first two change nothing, the third is chosen when it has ended.
AFTERWARDS = ("validate", "save", "share")
#: Validation crops, and how many of them are shown.
VALIDATED = 64
SHOWN = 8


def _pairs(pool, chain, edge: int, first: int, count: int, device, seed: int, *address) -> tuple[Tensor, ...]:
    """Draw crops and distort them: what restoration should give, what it gets, and the disorder it may be told."""
    clean, pixel_size, disorder = data.crops(pool, edge, first, count, seed, *address)
    keys = noise.keys(rng.key(seed, *address, "distortions"), count, first)
    truth, distorted, _ = chains.distort(chain, keys.to(device), clean.to(device), pixel_size.to(device))
    return truth, distorted, disorder.to(device)


def _step(
    fabric, network, optimiser, critic, clean, noisy, disorder, weights, terms, settings, run
) -> dict[str, float] | None:
    """Take one step; None, and nothing changed, if the loss or a gradient is not finite."""
    optimiser.zero_grad()
    restored = _restored(network, noisy, disorder)
    found = losses.terms(restored, clean, weights, terms)
    if critic is not None:
        discriminator, its_optimiser = critic
        found["adversarial"] = losses.adversarial(*_judged(discriminator, clean, restored))
    loss = losses.total(found, weights)
    fabric.backward(loss * _clipping(float(loss.detach()), settings, run))
    norm = fabric.clip_gradients(network, optimiser, max_norm=settings.clip, error_if_nonfinite=False)
    finite = torch.isfinite(loss) and torch.isfinite(norm)
    if critic is not None:
        its_optimiser.zero_grad()
        found["discriminator"] = losses.discriminator(*_judged(discriminator, clean, restored.detach()))
        fabric.backward(found["discriminator"])
        finite = finite and all(torch.isfinite(each.grad).all() for each in discriminator.parameters())
    if not finite:
        return None
    optimiser.step()
    if critic is not None:
        its_optimiser.step()
    return {name: float(term.detach()) for name, term in found.items()}


def _judged(discriminator: nn.Module, clean: Tensor, restored: Tensor) -> tuple[Tensor, ...]:
    """Give the logits of clean and restored crops; one pass, as parallel training allows one before the gradient."""
    return discriminator(torch.cat([clean, restored])).chunk(2)


#: Share of the loss's running mean and mean square that each step keeps.
KEPT = 0.999


def _clipping(loss: float, settings: Settings, run: Run) -> float:
    """Give the factor that brings a loss down to its limit, and follow its mean and mean square.

    The losses of different devices differ, and so may their factors: each scales its own share of the gradient.
    """
    if not settings.limit or not math.isfinite(loss):
        return 1.0
    if run.loss_square == 0:
        run.loss_mean, run.loss_square = loss, loss**2
    deviation = math.sqrt(max(run.loss_square - run.loss_mean**2, 0.0))
    most = run.loss_mean + settings.limit * deviation
    # in the first steps the deviation is not known
    factor = min(1.0, most / loss) if run.step > 1 / (1 - KEPT) else 1.0
    clipped = loss * factor
    run.loss_mean += (1 - KEPT) * (clipped - run.loss_mean)
    run.loss_square += (1 - KEPT) * (clipped**2 - run.loss_square)
    return factor


def _restored(network: nn.Module, images: Tensor, disorder: Tensor) -> Tensor:
    """Restore images of any scale, as the tool does: their deviation is one for the network, whatever their unit."""
    std, mean = torch.std_mean(images, dim=(1, 2, 3), keepdim=True, correction=0)
    std = torch.maximum(std, FLAT * images.abs().amax(dim=(1, 2, 3), keepdim=True))
    z = ((images - mean) / std).contiguous(memory_format=torch.channels_last)
    return network(z, disorder).float() * std + mean


def _psnr(images: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image [dB], the peak being that of the truth."""
    peak = truth.amax(dim=(1, 2, 3))
    return 10 * torch.log10(peak**2 / ((images - truth) ** 2).mean(dim=(1, 2, 3)).clamp(min=1e-20))


def _rate(step: int, settings: Settings) -> float:
    """Give the learning rate of a step."""
    if step < settings.warm_up:
        return settings.learning_rate * (step + 1) / settings.warm_up
    way = (step - settings.warm_up) / max(1, settings.steps - settings.warm_up)
    return settings.learning_rate * 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * way))))


def _optimiser(network: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    if settings.optimiser not in ("adamw", "muon"):
        raise EmrestoreError(f"the optimiser is adamw or muon, not {settings.optimiser!r}")
    if settings.optimiser == "adamw":
        return _adam(network, settings)
    return Muon(network.parameters(), settings.learning_rate, settings.weight_decay)


def _adam(module: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    return torch.optim.AdamW(module.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)


def _copy(network: Restorer) -> Restorer:
    """Give a network of the same weights, without gradients."""
    copy = type(network)(**network.arguments).to(memory_format=torch.channels_last)
    copy.load_state_dict(network.state_dict())
    return copy.requires_grad_(False)


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, keep: float) -> None:
    """Move the running average."""
    for old, new in zip(average.parameters(), network.parameters(), strict=True):
        old.lerp_(new.to(old.device), 1 - keep)


@torch.no_grad()
def _between(begun: Restorer, ended: Restorer, share: float) -> Restorer:
    """Give the network whose weights lie between those of two, so far on the way to the second."""
    between = _copy(begun).to(next(begun.parameters()).device)
    _follow(between, ended, 1 - share)
    return between


def _stale(saved: Path, attempt: Mapping) -> bool:
    """Tell whether a checkpoint is of a run that other code has finished: its weights are not what this code gives."""
    found = checkpoint.read_state(saved)
    finished = found["step"] == found["identity"]["settings"]["steps"]
    return finished and found["attempts"][-1].get("code") != attempt.get("code")


def _continue(saved: Path, run: Run, modules: dict, optimisers: dict) -> Run:
    """Go on from a checkpoint of the same run."""
    found = checkpoint.read_state(saved)
    for key, value in run.identity.items():
        if found["identity"].get(key) != value:
            raise EmrestoreError(
                f"{saved} is of a run with another '{key}' ({found['identity'].get(key)}, now {value}): go on with "
                "that, or move it away to begin anew"
            )
    return Run(**checkpoint.restore(saved, modules, optimisers))
