"""Networks made anew, from the names and sizes of the configuration, or from weights of another."""

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


def adopt(network: Restorer, other: Restorer) -> None:
    """Take over the weights of a network of the same shape, which may see what this one does not, or the reverse.

    What a network sees beside the image enters its first convolution as further images: the weights of those that the
    other does not see start at zero. Of a network whose blocks are told how much disorder to expect, one whose blocks
    are not takes over what it does when told none.

    Raises
    ------
    EmrestoreError
        If the networks differ in more than that.
    """
    if other.arguments.get("told") and not network.arguments.get("told"):
        other = other.told_nothing()
    known = other.state_dict()
    # what it tells its blocks says nothing at first
    own = {name: tensor for name, tensor in network.state_dict().items() if name in known or name[:5] != "told."}
    if own.keys() != known.keys():
        raise EmrestoreError("the weights to start from are of another architecture, or of one of another depth")
    for name, tensor in own.items():
        taken = known[name]
        if name == "first.weight":
            nothing = torch.zeros_like(taken[:, 0])
            seen = dict(zip(other.inputs, taken.unbind(1), strict=True))
            taken = torch.stack([seen.get(image, nothing) for image in network.inputs], dim=1)
        if tensor.shape == taken.shape:
            tensor.copy_(taken)
        else:
            raise EmrestoreError(
                f"the weights to start from have another shape ({name}: {tuple(taken.shape)}, not "
                f"{tuple(tensor.shape)}); choose the same widths, or start without them"
            )
