"""All that a training run needs to go on, in one safetensors file that is either whole or the one before.

Data and distortions are drawn by the number of the step, so weights, their average, the optimisers' moments, the step
and the history are the whole state.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from emrestore.errors import EmrestoreError
from emrestore.io import atomic_path

Modules = Mapping[str, nn.Module]
Optimisers = Mapping[str, torch.optim.Optimizer]


def save(path: Path, modules: Modules, optimisers: Optimisers, state: dict) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    path
        File; until the new one is whole, the old one stays.
    modules, optimisers
        By name; an optimiser holds the parameters of one module.
    state
        Step, history, identity of the run: JSON.

    Raises
    ------
    EmrestoreError
        If the file cannot be written, for example because the disk is full.
    """
    tensors = {}
    for name, module in modules.items():
        tensors |= {f"{name}/{key}": tensor for key, tensor in module.state_dict().items()}
    for name, optimiser in optimisers.items():
        for place, moments in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}/{place}/{key}": torch.as_tensor(value) for key, value in moments.items()}
    tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(tensors, {"emrestore": json.dumps(state)}))


def read_state(path: Path) -> dict:
    """Read step, history and identity of a checkpoint.

    Raises
    ------
    EmrestoreError
        If the file is truncated or no checkpoint.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return json.loads(file.metadata()["emrestore"])
    except (OSError, KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise EmrestoreError(f"{path} is not a whole checkpoint ({error}); delete it to begin anew") from error


def restore(path: Path, modules: Modules, optimisers: Optimisers) -> dict:
    """Put a checkpoint's tensors back and give its state.

    Raises
    ------
    EmrestoreError
        If the file is truncated, or of other networks.
    """
    state = read_state(path)
    tensors = safetensors.torch.load_file(path)
    try:
        for name, module in modules.items():
            module.load_state_dict(_under(tensors, name))
        for name, optimiser in optimisers.items():
            moments: dict[int, dict[str, Tensor]] = {}
            for key, tensor in _under(tensors, name).items():
                place, _, moment = key.partition("/")
                moments.setdefault(int(place), {})[moment] = tensor
            optimiser.load_state_dict(optimiser.state_dict() | {"state": moments})
    except (RuntimeError, KeyError, ValueError) as error:
        raise EmrestoreError(f"{path} holds other networks than this run trains; delete it to begin anew") from error
    return state


def _under(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}/"): tensor for key, tensor in tensors.items() if key.startswith(f"{name}/")}
