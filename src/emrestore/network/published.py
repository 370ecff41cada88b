"""The authors' six trained generators, read from their PyPI package without TensorFlow.

The package ``tk_r_em`` 1.0.4 (GPL-3.0) holds one TensorFlow checkpoint bundle per modality:
``variables.index``, an uncompressed LevelDB table that says where each tensor lies, and
``variables.data-00000-of-00001``, their bytes. This module verifies the data file's SHA-256 and every tensor's
CRC-32C, and gives a :class:`~emrestore.network.cgrdn.CGRDN`.

Formats: LevelDB's table_format.md; TensorFlow's tensor_bundle.proto.
"""

import hashlib
import math
import struct
from collections.abc import Iterator
from pathlib import Path

import google_crc32c
import numpy as np
import torch

from emrestore import authors
from emrestore.authors import HOW_TO_GET, LICENCE, PACKAGE, REINSTALL, VERSION, package_file
from emrestore.errors import EmrestoreError
from emrestore.network import weights
from emrestore.network.cgrdn import CGRDN

#: SHA-256 of each modality's data file in version 1.0.4.
SHA256 = {
    "hrstem": "8d16fdb8a863f0be651ec388a79a4bfc99f7006413c2fd1a96d01d514854e7a0",
    "lrstem": "c6b1abeb5b4b9c74e15c9da7fb26eae42d1e1f8d7d26fe54fb1ca8d95b95f845",
    "hrtem": "5cd27f4248af30846c436cb67e50f52d4650c447961857fc82c4d93d7f2307cc",
    "lrtem": "8680dbb5894992613cefbed9d8033e6f1c3ea0e5a95fdebb70549a4b30801c6e",
    "hrsem": "377b2ca2d1ce1ad4cbff188a55b864de27767510438e2d34cd622bfb78774745",
    "lrsem": "1398e3f40948021831e100c7a8151e60c70723780289d5aac3dd5cbab15977c5",
}
MODALITIES = tuple(SHA256)

DATA_FILE = "variables.data-00000-of-00001"
LEVELDB_MAGIC = 0xDB4775248B80FB57


def bundle_folder(model: str) -> Path:
    """Give the folder of a modality's bundle in the installed package.

    Raises
    ------
    EmrestoreError
        If there is no such modality, or the package is not installed.
    """
    check_modality(model)
    return package_file(f"models/sfr_{model}/variables")


def check_modality(model: str) -> None:
    """Refuse what is no modality.

    Raises
    ------
    EmrestoreError
        Naming those that there are.
    """
    if model not in MODALITIES:
        raise EmrestoreError(f"there is no network {model!r}; there are {', '.join(MODALITIES)}")


def load(model: str) -> CGRDN:
    """Read a published network.

    Parameters
    ----------
    model
        ``hrstem``, ``lrstem``, ``hrtem``, ``lrtem``, ``hrsem`` or ``lrsem``: high or low resolution, and
        instrument.

    Returns
    -------
    CGRDN
        In evaluation mode, on the CPU, float32.

    Raises
    ------
    EmrestoreError
        If there is no such modality, the package is missing, or a file is missing, truncated or altered.
    """
    return read_bundle(bundle_folder(model), SHA256[model])


def convert(model: str, path: Path) -> None:
    """Write a published network to a safetensors file with its origin, checksum, licence and architecture.

    Parameters
    ----------
    model
        As in :func:`load`.
    path
        File to write, see :func:`emrestore.network.weights.save`.

    Raises
    ------
    EmrestoreError
        As :func:`load`, and if the file cannot be written.
    """
    provenance = {
        "model": model,
        "source": f"{PACKAGE} {VERSION}, models/sfr_{model}/variables/{DATA_FILE}",
        "source_sha256": SHA256[model],
        "licence": LICENCE,
    }
    weights.save(load(model), path, provenance)


def state(model: str) -> str:
    """Tell in a few words whether a modality's data file is here and as published; otherwise how to get
    it."""
    if authors.package_folder() is None:
        return HOW_TO_GET
    data = bundle_folder(model) / DATA_FILE
    if not data.is_file():
        return f"missing: {REINSTALL}"
    return "verified" if _sha256(data) == SHA256[model] else f"altered: {REINSTALL}"


def read_bundle(folder: Path, sha256: str) -> CGRDN:
    """Read a network at its published size from a bundle.

    Parameters
    ----------
    folder
        Folder that holds ``variables.index`` and ``variables.data-00000-of-00001``.
    sha256
        SHA-256 of the data file, hexadecimal.

    Returns
    -------
    CGRDN
        In evaluation mode.

    Raises
    ------
    EmrestoreError
        If a file is missing, truncated, altered, or does not hold this network.
    """
    advice = f"; reinstall it: {REINSTALL}"
    try:
        index, data = (folder / "variables.index").read_bytes(), (folder / DATA_FILE).read_bytes()
        altered = _sha256(folder / DATA_FILE) != sha256
    except OSError as error:
        raise EmrestoreError(f"{error.filename} cannot be read ({error.strerror}){advice}") from error
    if altered:
        raise EmrestoreError(f"{folder / DATA_FILE} is not the published file (its SHA-256 differs){advice}")
    network = CGRDN()
    try:
        tensors = {
            key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"): _tensor(entry, data)
            for key, entry in _entries(index)
            if key.startswith("layer_with_weights-")
        }
        # the bundle numbers its layers in the order in which data passes them, as the modules of CGRDN are
        # defined
        convolutions = [(n, m) for n, m in network.named_modules() if hasattr(m, "kernel_size")]
        state = {}
        for number, (name, _) in enumerate(convolutions):
            # (y, x, in, out), transposed convolution (y, x, out, in), to (out, in, y, x) and (in, out, y, x)
            state[f"{name}.weight"] = tensors.pop(f"layer_with_weights-{number}/kernel").permute(3, 2, 0, 1)
            state[f"{name}.bias"] = tensors.pop(f"layer_with_weights-{number}/bias")
        if tensors:
            raise ValueError(f"{len(tensors)} tensors too many")
        network.load_state_dict(state)
    except (ValueError, KeyError, IndexError, struct.error, RuntimeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise EmrestoreError(f"{folder / 'variables.index'} is not the published file ({reason}){advice}") from error
    return network.eval()


def _sha256(path: Path) -> str:
    """Digest a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tensor(entry: dict[int, list], data: bytes) -> torch.Tensor:
    """Read one tensor: a BundleEntryProto says type, shape, offset, size and masked CRC-32C."""
    dims = [_fields(dim).get(1, [0])[0] for dim in _fields(entry.get(2, [b""])[0]).get(2, [])]
    offset, size, crc = entry.get(4, [0])[0], entry[5][0], entry[6][0]
    raw = data[offset : offset + size]
    if entry[1] != [1] or size != 4 * math.prod(dims):
        raise ValueError(f"a tensor of shape {dims} is not float32 of {size} bytes")
    if _masked_crc(raw) != crc:
        raise ValueError(f"the checksum of a tensor of shape {dims} differs")
    return torch.from_numpy(np.frombuffer(raw, "<f4").reshape(dims).astype(np.float32))


def _masked_crc(raw: bytes) -> int:
    """CRC-32C as LevelDB and TensorFlow store it: rotated and offset, so that a CRC of CRCs stays sound."""
    crc = google_crc32c.value(raw)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _entries(index: bytes) -> Iterator[tuple[str, dict[int, list]]]:
    """Yield keys and values of a LevelDB table: the footer points to the index block, that one to data
    blocks."""
    if len(index) < 48 or struct.unpack("<Q", index[-8:])[0] != LEVELDB_MAGIC:
        raise ValueError("it does not end as a LevelDB table does")
    _, at = _handle(index, len(index) - 48)  # the metaindex block; it is empty
    index_block, _ = _handle(index, at)
    for _, value in _block(index, *index_block):
        data_block, _ = _handle(value, 0)
        yield from ((key.decode(), _fields(value)) for key, value in _block(index, *data_block))


def _handle(raw: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Read a block handle, (offset, size), and give the position after it."""
    offset, at = _varint(raw, at)
    size, at = _varint(raw, at)
    return (offset, size), at


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of a block, whose keys are written as (bytes shared with the key before,
    rest)."""
    block, trailer = table[offset : offset + size + 1], table[offset + size + 1 : offset + size + 5]
    if _masked_crc(block) != struct.unpack("<I", trailer)[0]:
        raise ValueError("the checksum of a block differs")
    if block[-1] != 0:
        raise ValueError("a block is compressed")
    restarts = struct.unpack("<I", block[-5:-1])[0]
    at, end, key = 0, size - 4 * (restarts + 1), b""
    while at < end:
        shared, at = _varint(block, at)
        rest, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + rest]
        yield key, block[at + rest : at + rest + length]
        at += rest + length


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """Read an integer of seven bits a byte, least first, and give the position after it."""
    value = shift = 0
    while raw[at] & 0x80:
        value |= (raw[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | raw[at] << shift, at + 1


def _fields(message: bytes) -> dict[int, list]:
    """Split a protobuf message into its fields, each a list of integers or bytes."""
    fields: dict[int, list] = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        match tag & 7:
            case 0:
                value, at = _varint(message, at)
            case 2:
                size, at = _varint(message, at)
                value, at = message[at : at + size], at + size
            case 5:
                value, at = struct.unpack_from("<I", message, at)[0], at + 4
            case kind:
                raise ValueError(f"unexpected wire type {kind}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields
