"""Muon: momentum made orthogonal, for convolutions (Jordan et al., 2024; its scale after Liu et al., 2025).

The gradient of a layer's matrix is dominated by few directions. Muon follows all that the momentum holds alike: it
replaces the singular values of the momentum by about one. Of equal crops our network learns more, see models/README.md.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from emrestore.network.restorer import computes_bfloat16

#: Quintic of the Newton-Schulz iteration; five steps bring singular values of 0.002 to 1 into 0.7 to 1.2.
QUINTIC = (3.4445, -4.7750, 2.0315)
STEPS = 5
#: Root mean square of an update over the learning rate, about that of Adam's: the same rates serve both.
SCALE = 0.2
#: Layers of fewer features at either end, those at the images, are no matrices worth the name.
LEAST = 16


def orthogonal(matrices: Tensor) -> Tensor:
    """Bring the singular values of matrices near one by a Newton-Schulz iteration.

    In bfloat16 where the device multiplies it: emulated, it takes fifteen times as long as float32.

    Parameters
    ----------
    matrices
        (N, rows, columns).

    Returns
    -------
    Tensor
        float32 of the same shape; a matrix of zeros stays.
    """
    a, b, c = QUINTIC
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    if computes_bfloat16(x.device):
        x = x.bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(STEPS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Muon for kernels of convolutions between features, AdamW for all other parameters.

    Parameters
    ----------
    parameters
        Of a network.
    lr
        Learning rate of both.
    weight_decay
        Of both, decoupled.
    momentum
        Share of the sum of gradients that a step keeps; the next step is anticipated (Nesterov).
    betas, eps
        Of AdamW.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ):
        defaults = dict(lr=lr, weight_decay=weight_decay, momentum=momentum, betas=betas, eps=eps)
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Move the parameters that have a gradient."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                if parameter.ndim == 4 and min(parameter.shape[:2]) >= LEAST:
                    alike[parameter.shape].append(parameter)
                else:
                    self._adam(parameter, group)
            for parameters in alike.values():
                self._muon(parameters, group)

    def _muon(self, parameters: list[nn.Parameter], group: dict) -> None:
        """Move kernels of one shape, all at once."""
        ahead = []
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            state["momentum"].mul_(group["momentum"]).add_(parameter.grad)
            ahead.append((parameter.grad + group["momentum"] * state["momentum"]).flatten(1))
        updates = orthogonal(torch.stack(ahead))
        size = group["lr"] * SCALE * max(updates.shape[1:]) ** 0.5
        for parameter, update in zip(parameters, updates, strict=True):
            parameter.add_(update.reshape(parameter.shape), alpha=-size)

    def _adam(self, parameter: nn.Parameter, group: dict) -> None:
        """Move one parameter by AdamW, its decay apart."""
        state, (first, second) = self.state[parameter], group["betas"]
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        state["step"] += 1
        state["exp_avg"].lerp_(parameter.grad, 1 - first)
        state["exp_avg_sq"].mul_(second).addcmul_(parameter.grad, parameter.grad, value=1 - second)
        done = float(state["step"])
        mean = state["exp_avg"] / (1 - first**done)
        spread = (state["exp_avg_sq"] / (1 - second**done)).sqrt() + group["eps"]
        parameter.addcdiv_(mean, spread, value=-group["lr"])
