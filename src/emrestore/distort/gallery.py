"""Galleries: one image under each effect alone, and under all effects of a chain at once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from emrestore.distort import noise
from emrestore.distort.chain import EFFECTS, build, distort
from emrestore.rng import key


@dataclass(frozen=True)
class Panel:
    """A distorted image and what made it.

    Attributes
    ----------
    name
        ``clean``, the name of an effect's entry, or ``combined``.
    image
        (Y, X) [electrons per pixel].
    kinds
        The kind of each effect by its name, see :data:`emrestore.distort.chain.EFFECTS`.
    parameters
        All that was drawn, see :meth:`emrestore.distort.chain.Chain.sample`, as plain numbers and lists of them.
    """

    name: str
    image: np.ndarray
    kinds: dict[str, str]
    parameters: dict[str, dict]


def panels(
    clean: np.ndarray,
    pixel_size: float,
    dose: float,
    entries: Mapping,
    distortions: Mapping,
    modality: str,
    seed: int,
    draw: int = 0,
) -> list[Panel]:
    """Show the clean image, each effect alone, and the whole chain of a modality.

    Where an effect is alone nothing else happens: without shot noise images hold fractions of electrons.

    Parameters
    ----------
    clean
        (Y, X) image, not negative, in any unit.
    pixel_size
        Edge of a pixel [Å].
    dose
        Mean dose of each panel [electrons per pixel].
    entries
        The effects shown alone, written as those of ``distortions``: the entry that one is ``like``, and what differs.
    distortions
        The branch ``distortions`` of a configuration (units and sources stripped).
    modality
        The chain shown as a whole. Every effect occurs, whatever its probability, with parameters from its ranges.
    seed
        Root seed.
    draw
        Number of the draw.

    Returns
    -------
    list of Panel
        ``clean``, the entries in their order, ``combined``.

    Raises
    ------
    EmrestoreError
        If an entry does not fit its effect, or the image cannot be distorted.
    """
    whole = build(distortions, modality)
    chains = {"clean": ()}
    for name, entry in entries.items():
        # under a name of its own, so that an entry may be called as what it is like
        link = f"gallery/{name}"
        alone = {"effects": distortions["effects"] | {link: entry}, "chains": {name: [link]}}
        chains[name] = ((name, effect) for _, _, effect in build({**distortions, **alone}, name).effects)
    chains["combined"] = ((link, effect) for link, _, effect in whole.effects)

    image = torch.as_tensor(clean, dtype=torch.float32)[None, None]
    electrons = dose / float(np.mean(clean))
    kinds = {effect: kind for kind, effect in EFFECTS.items()}
    shown = []
    for name, effects in chains.items():
        certain = replace(whole, effects=tuple((link, 1.0, effect) for link, effect in effects))
        keys = noise.keys(key(seed, "gallery", modality, name), 1, draw)
        _, distorted, drawn = distort(certain, keys, image, pixel_size, electrons)
        plain = {link: {part: values[0].tolist() for part, values in row.items()} for link, row in drawn.items()}
        links = {link: kinds[type(effect)] for link, _, effect in certain.effects}
        shown.append(Panel(name, (electrons * distorted)[0, 0].numpy(), links, plain))
    return shown
