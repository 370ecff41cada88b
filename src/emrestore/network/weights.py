"""Weights of a network in one safetensors file, with what is needed to rebuild the network and to trust the
file.

The file's metadata has one entry, ``emrestore``: JSON with ``architecture``, ``arguments``,
``tensors_sha256`` and the provenance given by whoever saved it. (One entry, because safetensors writes
several in random order, and files made twice shall be identical.)
"""

import hashlib
import json
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from emrestore.errors import EmrestoreError
from emrestore.io import atomic_path
from emrestore.network.cgrdn import CGRDN, GRDN
from emrestore.network.unet import Compact, MRUNet, NAFNet

#: Where trained weights lie: beside the package where it is installed, in the project's folder where it is developed.
FOLDERS = (Path(__file__).parents[1] / "models", Path(__file__).parents[3] / "models")

#: Networks that a file may hold; each keeps what it was made with in ``arguments``.
ARCHITECTURES = {network.__name__: network for network in (CGRDN, GRDN, Compact, MRUNet, NAFNet)}


def save(network: torch.nn.Module, path: Path, provenance: dict) -> None:
    """Write a network's weights; the same network gives the same bytes.

    Parameters
    ----------
    network
        One of :data:`ARCHITECTURES`, in the precision that the file is to have.
    path
        File to write; complete, or not there.
    provenance
        Where the weights come from (source, licence, seed, commit, ...), JSON.

    Raises
    ------
    EmrestoreError
        If the file cannot be written.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    metadata = provenance | {
        "architecture": type(network).__name__,
        "arguments": network.arguments,
        "tensors_sha256": _digest(state),
    }
    with atomic_path(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(state, {"emrestore": json.dumps(metadata, sort_keys=True)}))


def load(path: Path) -> tuple[torch.nn.Module, dict]:
    """Rebuild a network from a file that :func:`save` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    network
        In evaluation mode, on the CPU, float32 whatever the file has.
    metadata
        Its architecture, arguments, checksum and provenance.

    Raises
    ------
    EmrestoreError
        If the file is missing, truncated, altered, or of another kind.
    """
    metadata = read_metadata(path)
    try:
        state = safetensors.torch.load_file(path)
        network = ARCHITECTURES[metadata["architecture"]](**metadata["arguments"])
        network.load_state_dict(state)
    except (KeyError, TypeError, RuntimeError) as error:
        raise EmrestoreError(f"{path} does not hold a network that this version knows; make it again") from error
    if _digest(state) != metadata.get("tensors_sha256"):
        raise EmrestoreError(f"{path} has been altered (its weights' SHA-256 differs); make it again")
    return network.eval(), metadata


def read_metadata(path: Path) -> dict:
    """Give the metadata of a weights file without reading its weights.

    Raises
    ------
    EmrestoreError
        If the file is missing, truncated, or not one that :func:`save` wrote.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            return json.loads(file.metadata()["emrestore"])
    except OSError as error:
        raise EmrestoreError(f"weights {path} cannot be read ({error.strerror or error})") from error
    except safetensors.SafetensorError as error:
        raise EmrestoreError(f"{path} is not a whole safetensors file ({error})") from error
    except (KeyError, TypeError, ValueError) as error:
        raise EmrestoreError(f"{path} was not written by emrestore: it does not say which network it holds") from error


def parameters(metadata: dict) -> int:
    """Count the parameters of the network that a file holds."""
    with torch.device("meta"):
        network = ARCHITECTURES[metadata["architecture"]](**metadata["arguments"])
    return sum(parameter.numel() for parameter in network.parameters())


def shipped(model: str) -> Path | None:
    """Find the weights that this project trained for a modality, or None."""
    return next((path for folder in FOLDERS if (path := folder / f"{model}.safetensors").is_file()), None)


def _digest(state: dict[str, Tensor]) -> str:
    """Digest names and values of all tensors."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode() + b"\0")
        digest.update(state[name].contiguous().numpy())
    return digest.hexdigest()
