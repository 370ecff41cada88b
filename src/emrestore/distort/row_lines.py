"""Row lines (Eq. 51): runs of pixels along the fast axis for which the detector did not respond."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene


@dataclass(frozen=True)
class RowLines:
    """Runs of random length, each replaced by its own mean times a random factor.

    Attributes
    ----------
    count
        Least and greatest number of runs.
    length
        Length of a run over that of a row.
    factor
        Intensity of a run over its mean.
    """

    count: tuple[int, int]
    length: Range
    factor: Range

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``row``, ``start``, ``length`` [px] and ``factor``, (N, K) each; length 0: no run."""
        ny, nx = scene.shape
        most = self.count[1]
        exists = torch.arange(most, device=keys.device) < noise.whole(noise.subkeys(keys, "count"), self.count)[:, None]
        length = (nx * noise.between(noise.subkeys(keys, "length"), self.length, most)).ceil().long().clamp(1, nx)
        start = noise.uniform(noise.subkeys(keys, "start"), most) * (nx - length + 1)
        return {
            "row": noise.whole(noise.subkeys(keys, "row"), (0, ny - 1), most),
            "start": start.floor().long().clamp(max=nx - length),
            "length": torch.where(exists, length, 0),
            "factor": noise.between(noise.subkeys(keys, "factor"), self.factor, most),
        }

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Replace the runs; where two overlap the later one is seen."""
        count, _, ny, nx = image.shape
        row, start, length = parameters["row"], parameters["start"], parameters["length"]
        x = torch.arange(nx, device=image.device)
        inside = (x >= start[..., None]) & (x < (start + length)[..., None])
        lines = image[:, 0].gather(1, row[..., None].expand(-1, -1, nx))
        mean = (lines.double() * inside).cumsum(-1)[..., -1] / length.clamp(min=1)
        level = mean.float() * parameters["factor"]
        # number of the last run that covers a pixel, 0 for none
        number = torch.arange(1, row.shape[1] + 1, device=image.device)[:, None] * inside
        last = torch.zeros(count, ny, nx, dtype=torch.long, device=image.device)
        last.scatter_reduce_(1, row[..., None].expand(-1, -1, nx), number, "amax")
        replaced = level.gather(1, (last - 1).clamp(min=0).view(count, -1)).view(count, 1, ny, nx)
        return torch.where(last[:, None] > 0, replaced, image)
