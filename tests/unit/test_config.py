import copy
from pathlib import Path

import pytest
import yaml

from emrestore import config as study
from emrestore.errors import EmrestoreError
from emrestore.network.build import build

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "config/schema/config.schema.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def merged(base, overlay):
    """Merge as Snakemake does: mappings key by key, all else replaced."""
    result = copy.deepcopy(base)
    for key, node in overlay.items():
        result[key] = merged(base[key], node) if isinstance(node, dict) and isinstance(base.get(key), dict) else node
    return result


def keys(node, prefix=""):
    return {f"{prefix}{k}" for k in node} | {
        x for k, v in node.items() if isinstance(v, dict) for x in keys(v, f"{prefix}{k}/")
    }


@pytest.mark.parametrize("name", ["config", "smoke", "paper"])
def test_shipped_configurations_are_valid(name):
    overlay = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    study.check(merged(DEFAULT, overlay), SCHEMA)


@pytest.mark.parametrize("name", ["smoke", "paper"])
def test_overlays_add_no_keys(name):
    overlay = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    assert keys(overlay) <= keys(DEFAULT)


@pytest.mark.parametrize("name", ["config", "smoke", "paper"])
def test_networks_that_ship_can_be_built(name):
    """With the arguments that rules/training.smk gives; an overlay inherits what it does not say."""
    models = study.unwrap(merged(DEFAULT, yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())))["models"]
    chosen = models["architectures"][models["architecture"]]
    asked = {}
    for network in ("hrstem", "lrstem", "hrsem", "lrsem", "hrtem", "lrtem"):
        known = models["networks"][network]
        assert known["start"] or known["share"] is None, f"{network} is to end between nothing and its weights"
        further = {key: known[key] for key in ("told", "lattice") if known[key]}
        asked[str(further)] = {"conditional": known["conditional"]} | further
    for arguments in asked.values():
        build(chosen["architecture"], chosen["arguments"] | arguments, 1)


def test_a_typo_is_refused_by_name():
    config = copy.deepcopy(DEFAULT)
    config["multislice"]["semiangle"] = config["multislice"].pop("semi_angle")
    with pytest.raises(EmrestoreError, match=r"semiangle|semi_angle"):
        study.check(config, SCHEMA)


def test_every_value_states_its_source():
    for leaf in study.leaves(DEFAULT):
        assert leaf["source"].split(":")[0] in {"paper", "literature", "assumed", "choice"}, leaf["key"]


def test_a_source_is_required():
    config = copy.deepcopy(DEFAULT)
    del config["pairs"]["realisations"]["source"]
    with pytest.raises(EmrestoreError, match="pairs/realisations"):
        study.check(config, SCHEMA)


def test_detector_beyond_the_cutoff_is_refused():
    config = copy.deepcopy(DEFAULT)
    config["multislice"]["detector_outer"]["value"] = 210
    with pytest.raises(EmrestoreError, match="cutoff"):
        study.check(config, SCHEMA)


@pytest.mark.parametrize(("key", "value"), [("aperture", 26), ("diameter", 51), ("gpts", 200), ("pixel_size", 0.21)])
def test_hrtem_image_that_cannot_be_is_refused(key, value):
    config = copy.deepcopy(DEFAULT)
    config["hrtem"][key]["value"] = value
    with pytest.raises(EmrestoreError, match="config key 'hrtem'"):
        study.check(config, SCHEMA)


def test_undefined_specimen_is_refused():
    config = copy.deepcopy(DEFAULT)
    config["study"]["specimens"]["value"] = ["bulk", "unheard_of"]
    with pytest.raises(EmrestoreError, match="unheard_of"):
        study.check(config, SCHEMA)


@pytest.mark.parametrize(
    ("place", "key", "name", "says"),
    [
        ("networks/lrsem", "start", "hrste", "models/networks/lrsem': start 'hrste' is not one of hrstem"),
        ("networks/lrsem", "chain", "sems", "models/networks/lrsem': chain 'sems' is not one of"),
        (None, "architecture", "large", "models/architecture': architecture 'large' is not one of compact, cgrdn"),
    ],
)
def test_networks_begin_with_and_learn_what_is_defined(place, key, name, says):
    config = copy.deepcopy(DEFAULT)
    if place:
        branch, modality = place.split("/")
        config["models"][branch][modality]["value"][key] = name
    else:
        config["models"][key]["value"] = name
    with pytest.raises(EmrestoreError, match=says):
        study.check(config, SCHEMA)


def test_benchmarks_name_chains_that_are_defined():
    config = copy.deepcopy(DEFAULT)
    config["benchmarks"]["chains"]["value"]["lrtem"] = "tem_wider"
    with pytest.raises(EmrestoreError, match="benchmarks/chains/lrtem': 'tem_wider' is not one of tem"):
        study.check(config, SCHEMA)


def test_value_names_a_missing_key():
    assert study.value(DEFAULT, "multislice/energy") == 300
    with pytest.raises(EmrestoreError, match="multislice/enrgy"):
        study.value(DEFAULT, "multislice/enrgy")
