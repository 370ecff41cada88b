"""The study's configuration: values with unit and source, checked before any job starts.

Every leaf of ``config/config.yaml`` is ``{value, unit, source}``. The source begins with one of four words: ``paper``
(with the equation or figure), ``literature`` (with the work), ``assumed`` (the paper leaves it open; with the reason)
and ``choice`` (the size of this study). Overlays such as ``config/smoke.yaml`` change values; none adds keys.
"""

from collections.abc import Iterator, Mapping

from emrestore import hrtem
from emrestore.errors import EmrestoreError
from emrestore.multislice import check as check_detector
from emrestore.multislice import settings_of


def value(config: Mapping, path: str):
    """Look a value up, for example ``value(config, "multislice/energy")``.

    Raises
    ------
    EmrestoreError
        If there is no such key, naming it.
    """
    node = config
    for part in path.split("/"):
        if not isinstance(node, Mapping) or part not in node:
            raise EmrestoreError(f"config has no key '{path}' (no '{part}')")
        node = node[part]
    return unwrap(node)


def unwrap(node):
    """Strip units and sources from a branch: ``{value: 300, unit: keV, ...}`` becomes ``300``."""
    if isinstance(node, Mapping):
        return node["value"] if is_leaf(node) else {key: unwrap(child) for key, child in node.items()}
    return node


def is_leaf(node) -> bool:
    """Tell whether a node is a value with its unit and source."""
    return isinstance(node, Mapping) and "value" in node and "source" in node


def leaves(config: Mapping, prefix: str = "") -> Iterator[dict]:
    """Yield every value as ``{key, value, unit, source}``, in the order of the file."""
    for key, node in config.items():
        path = f"{prefix}{key}"
        if is_leaf(node):
            yield {
                "key": path,
                "value": node["value"],
                "unit": node.get("unit", ""),
                "source": node["source"],
            }
        elif isinstance(node, Mapping):
            yield from leaves(node, f"{path}/")


def check(config: Mapping, schema: Mapping) -> None:
    """Refuse a configuration that the closed schema or physics refuses.

    Raises
    ------
    EmrestoreError
        One sentence that names the key.
    """
    # what a job that only looks values up need not read
    import jsonschema

    from emrestore.image import clean

    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(config), key=lambda error: list(error.path))
    if errors:
        path = "/".join(str(part) for part in errors[0].absolute_path)
        raise EmrestoreError(f"config key '{path or '(top level)'}': {errors[0].message}")
    _check_names(config)
    _check_distortions(config)
    lattice_constant = value(config, "specimens/lattice_constant")
    settings = settings_of(value(config, "multislice"), lattice_constant)
    check_detector(settings, lattice_constant * value(config, "specimens/cells_xy"))
    _check_hrtem(config)
    try:
        clean.check(clean.build(unwrap(config["generator"])))
    except EmrestoreError as error:
        raise EmrestoreError(f"config key 'generator': {error}") from None


def _check_hrtem(config: Mapping) -> None:
    """The pixels sample what the aperture passes, and the particle fits its box."""
    values = unwrap(config["hrtem"])
    settings = {key: leaf for key, leaf in values.items() if key in hrtem.Settings.__annotations__}
    settings["slice_thickness"] = value(config, "specimens/lattice_constant") / values["slices_per_cell"]
    settings["phonon_rms"] = value(config, "multislice/phonon_rms")
    width = values["pixel_size"] * values["shape"]
    try:
        hrtem.check(hrtem.Settings(**settings), width, values["diameter"])
    except EmrestoreError as error:
        raise EmrestoreError(f"config key 'hrtem': {error}") from None


def _check_names(config: Mapping) -> None:
    """Only what is defined is run or trained."""
    for key in ("specimens", "samplings"):
        defined = [name for name, node in config[key].items() if not is_leaf(node)]
        for name in value(config, f"study/{key}"):
            if name not in defined:
                raise EmrestoreError(f"config key 'study/{key}': '{name}' is not one of {', '.join(defined)}")
    models = unwrap(config["models"])
    known = {"start": models["networks"], "chain": config["distortions"]["chains"]}
    named = [
        (f"networks/{modality}", key, network[key])
        for modality, network in models["networks"].items()
        for key in known
        if network[key]
    ]
    for place, key, name in [("architecture", "architecture", models["architecture"]), *named]:
        of = known.get(key, models["architectures"])
        if name not in of:
            raise EmrestoreError(f"config key 'models/{place}': {key} '{name}' is not one of {', '.join(of)}")


def _check_distortions(config: Mapping) -> None:
    """Chains are made of entries, entries and panels are like entries, and ranges run upwards."""
    entries = unwrap(config["distortions"]["effects"])
    chains = unwrap(config["distortions"]["chains"])
    branches = {f"gallery/panels/{group}": panels for group, panels in config["gallery"]["panels"].items()}
    branches["distortions/effects"] = config["distortions"]["effects"]
    named = {f"distortions/chains/{name}": links for name, links in chains.items()}
    for branch, nodes in branches.items():
        named |= {f"{branch}/{name}/like": [node["like"]["value"]] for name, node in nodes.items() if "like" in node}
    for path, names in named.items():
        for name in names:
            if name not in entries:
                raise EmrestoreError(f"config key '{path}': '{name}' is not one of {', '.join(entries)}")
            if path.endswith("/like") and "like" in entries[name]:
                raise EmrestoreError(f"config key '{path}': '{name}' is itself like another; name that one")
    chosen = {"pairs/distortions": value(config, "pairs/distortions")}
    chosen |= {f"benchmarks/chains/{key}": name for key, name in value(config, "benchmarks/chains").items()}
    for path, name in chosen.items():
        if name not in chains:
            raise EmrestoreError(f"config key '{path}': '{name}' is not one of {', '.join(chains)}")
    for leaf in (leaf for branch, nodes in branches.items() for leaf in leaves(nodes, f"{branch}/")):
        bounds = leaf["value"]
        if isinstance(bounds, list) and not leaf["key"].endswith("/bits") and bounds[0] > bounds[1]:
            raise EmrestoreError(f"config key '{leaf['key']}': the range {bounds} runs downwards")
    if value(config, "gallery/fields/tem/shape") > value(config, "hrtem/shape"):
        raise EmrestoreError("config key 'gallery/fields/tem/shape': a field is larger than its image ('hrtem/shape')")
