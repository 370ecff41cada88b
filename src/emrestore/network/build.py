"""Networks made anew, from the names and sizes of the configuration."""

import torch

from emrestore import rng
from emrestore.errors import EmrestoreError
from emrestore.network.restorer import Restorer
from emrestore.network.weights import ARCHITECTURES


def build(architecture: str, arguments: dict, seed: int, *address: rng.Part) -> Restorer:
    """Make a network with weights drawn from a named stream.

    Raises
    ------
    EmrestoreError
        If there is no such architecture, or it does not take these arguments.
    """
    if architecture not in ARCHITECTURES:
        raise EmrestoreError(f"there is no network {architecture!r}; choose one of {', '.join(ARCHITECTURES)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.integer_seed(seed, *address, "weights"))
        try:
            return ARCHITECTURES[architecture](**arguments)
        except TypeError as error:
            raise EmrestoreError(f"{architecture} cannot be built from {arguments}: {error}") from error
