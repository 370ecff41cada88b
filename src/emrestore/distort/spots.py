"""Black pixels (Eqs 37, 52) and zingers (Eqs 38, 53): isolated or grown by a random walk."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene


@dataclass(frozen=True)
class Spots:
    """Points spread uniformly, each grown along a random walk over neighbouring pixels.

    Attributes
    ----------
    count
        Least and greatest number of points.
    steps
        Least and greatest number of steps of a walk; 0: single pixels.
    factor
        What the intensity of a spot is multiplied by, below 1 for black pixels, above for zingers.
    """

    count: tuple[int, int]
    steps: tuple[int, int]
    factor: Range

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``y``, ``x`` (start), ``steps``, ``factor``, (N, K) each, and the walks' key; steps -1: no spot."""
        ny, nx = scene.shape
        most = self.count[1]
        exists = torch.arange(most, device=keys.device) < noise.whole(noise.subkeys(keys, "count"), self.count)[:, None]
        steps = noise.whole(noise.subkeys(keys, "steps"), self.steps, most)
        return {
            "y": noise.whole(noise.subkeys(keys, "y"), (0, ny - 1), most),
            "x": noise.whole(noise.subkeys(keys, "x"), (0, nx - 1), most),
            "steps": torch.where(exists, steps, -1),
            "factor": noise.between(noise.subkeys(keys, "factor"), self.factor, most),
            "key": noise.subkeys(keys, "walk"),
        }

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Multiply by the sensitivity S; the last of overlapping spots counts."""
        last, factor = _last(image, parameters)
        return torch.where(last > 0, image * factor, image)


@dataclass(frozen=True)
class Zingers(Spots):
    """Spots of a burst of photons.

    Attributes
    ----------
    addition
        ``"multiplied"``: as printed, without effect on dark ground; ``"added"``: factor times the greatest clean
        intensity is added, as a burst that owes nothing to the beam would.
    """

    addition: str

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw as all spots, and ``level`` [electrons] to add, (N, K); 0: multiply."""
        drawn = super().sample(keys, scene)
        full = (scene.electrons * scene.maximum)[:, None] * (self.addition == "added")
        return drawn | {"level": drawn["factor"] * full}

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Multiply by the sensitivity S, or add the burst."""
        last, factor = _last(image, parameters)
        level = parameters["level"].gather(1, (last - 1).clamp(min=0).view(len(image), -1)).view(image.shape)
        return torch.where(last > 0, torch.where(level > 0, image + level, image * factor), image)


def _last(image: Tensor, parameters: Parameters) -> tuple[Tensor, Tensor]:
    """Give the number of the last spot on each pixel, 0 for none, and its factor."""
    count, _, ny, nx = image.shape
    steps = parameters["steps"]
    spots, longest = steps.shape[1], max(int(steps.max()), 0)
    # steps outermost: the first steps do not depend on how long other walks are
    direction = noise.whole(parameters["key"], (0, 3), longest, spots).transpose(1, 2)
    start = torch.zeros_like(steps)[..., None]
    # up, down, left, right
    step_y = (direction == 1).long() - (direction == 0).long()
    step_x = (direction == 3).long() - (direction == 2).long()
    walk_y = parameters["y"][..., None] + torch.cat([start, step_y], -1).cumsum(-1)
    walk_x = parameters["x"][..., None] + torch.cat([start, step_x], -1).cumsum(-1)
    taken = torch.arange(longest + 1, device=image.device) <= steps[..., None]
    taken &= (walk_y >= 0) & (walk_y < ny) & (walk_x >= 0) & (walk_x < nx)
    number = torch.arange(1, spots + 1, device=image.device)[:, None] * taken
    place = torch.where(taken, walk_y * nx + walk_x, 0)
    last = torch.zeros(count, ny * nx, dtype=torch.long, device=image.device)
    last.scatter_reduce_(1, place.view(count, -1), number.view(count, -1), "amax")
    factor = parameters["factor"].gather(1, (last - 1).clamp(min=0))
    return last.view(image.shape), factor.view(image.shape)
