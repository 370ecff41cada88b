# Shared by all rules: checked configuration, values by path, digests of code, names of records.
import functools
import sys
from math import ceil
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "src"))
from emrestore import config as study
from emrestore.errors import EmrestoreError
from emrestore.workflow import code_digest

BASE = Path(workflow.basedir)

# once, and not again in the processes of jobs
if workflow.is_main_process:
    schema = (BASE / "config/schema/config.schema.yaml").read_text(encoding="utf-8")
    try:
        study.check(config, yaml.safe_load(schema))
    except EmrestoreError as error:
        raise WorkflowError(str(error)) from None


def value(path):
    """A value of the configuration, for example value("multislice/energy")."""
    return study.value(config, path)


@functools.cache
def digest(script):
    """A digest of a script and of all library code it imports."""
    return code_digest(BASE / "src/scripts" / script, BASE / "src/emrestore")


def code(script):
    """The digest of code as a param, so that changed code reruns what depends on it; worked out where there are jobs.

    Every job reads these files, and all digests together take seconds.
    """
    return lambda wildcards: digest(script)


def record(name):
    """Where a job writes what made its outputs (commit, code, versions, hashes of inputs and outputs)."""
    return f"results/provenance/{name}.json"


SPECIMENS = value("study/specimens")
DISPLACED = [name for name in SPECIMENS if value(f"specimens/{name}/displacement") > 0]
SAMPLINGS = value("study/samplings")
# fields are specimens that are not the bulk series: they are recorded under chains of distortions
VIEWS = [name for name in config["audit"]["views"]]
AUDITED = value("audit/specimens")
RECORDED = value("recordings/specimens")
FIELDS = [*RECORDED, *AUDITED]
CHAINS = value("recordings/distortions")
EMPTY = [name for name in VIEWS if "crystal" not in value(f"audit/views/{name}/layers")]
WITH_VACUUM = [name for name in FIELDS if name in ["features", *EMPTY]]
# unlike what networks were trained on
UNLIKE = [
    name for name in VIEWS if name in AUDITED and not name.startswith("disordered")
]
# those with columns to fit
FITTED = [name for name in FIELDS if name not in EMPTY]
CRYSTALS = value("realism/crystals")

# where the weights of networks lie, the authors' and ours
WEIGHTS = {"published": "results/inputs/published", "trained": value("models/folder")}


def weights(method):
    """The weights of a method: the authors' network's, ours, a file of its own, or none of a filter."""
    chosen = value(f"restore/{method}")
    if "weights" not in chosen:
        return []
    if chosen["weights"] in WEIGHTS:
        return f"{WEIGHTS[chosen['weights']]}/{chosen['model']}.safetensors"
    return chosen["weights"]


# our own network takes part once its weights are there
METHODS = [
    method
    for method in study.unwrap(config["columns"]["estimators"])
    if method == "raw"
    or value(f"restore/{method}").get("weights") != "trained"
    or Path(weights(method)).exists()
]
# raw images are fitted where they are; every other method restores them first
RESTORED = [method for method in METHODS if method != "raw"]
# what small experiments stand beside, whether networks of ours ship or not
OTHERS = [
    method
    for method in RESTORED
    if value(f"restore/{method}").get("weights") != "trained"
]


MODALITIES = ["hrstem", "lrstem", "hrsem", "lrsem", "hrtem", "lrtem"]
SPLITS = ["train", "validation"]
# what an image depends on; how many there are moves none of them
GENERATOR = {
    key: branch for key, branch in value("generator").items() if key != "shards"
}
# the same specimens, some with disorder, as the networks that ship are trained on
DISORDERED = GENERATOR | {"disorder": GENERATOR["disorder"] | value("models/disorder")}
# columns that stand apart, on which they are trained too
COLUMNS = {
    key: (
        branch | value("models/columns").get(key, {})
        if isinstance(branch, dict) and key != "kinds"
        else value("models/columns").get(key, branch)
    )
    for key, branch in DISORDERED.items()
}
# distortions as those networks are trained on
TRAINED = value("distortions") | {
    "exposure": value("distortions/exposure") | value("models/exposure")
}


def trained_on(network):
    """Distortions that a network that ships is trained on, some at doses of their own."""
    if not (dose := model(network)["dose"]):
        return TRAINED
    return TRAINED | {"exposure": TRAINED["exposure"] | {"dose": dose}}


SURVEYED = {
    key: value(f"generator/{key}")
    for key in [
        "pixel_size",
        "crystal/group",
        "crystal/length",
        "crystal/distance",
        "amorphous/density",
        "orientation/mistilt",
        "wedge/angle",
        "defects/share",
        "support/thickness",
        "profiles/exponent",
        "intensity/power",
        "intensity/contrast",
    ]
}


def model(network):
    """How a network that ships, one for each modality, or one that another begins with is trained."""
    return value(f"models/networks/{network}")


def with_starts(modalities):
    """The networks of some modalities, each behind those that it begins with."""
    chains = []
    for modality in modalities:
        chain = [modality]
        while start := model(chain[0])["start"]:
            chain.insert(0, start)
        chains += chain
    return list(dict.fromkeys(chains))


def shards(modalities, splits):
    """Files of all shards of some modalities and splits."""
    return [
        f"results/images/{modality}/{split}/{number}.nc"
        for modality in modalities
        for split in splits
        for number in range(value(f"generator/shards/{split}"))
    ]


def chains(field):
    """The chains of distortions that a field is recorded under."""
    return value(f"audit/views/{field}/distortions") if field in VIEWS else CHAINS


def view_setting(view, name, otherwise):
    """A setting that only some views have."""
    return value(f"audit/views/{view}").get(name, otherwise)


def methods(specimen):
    """The methods whose images of a specimen are measured, raw ones among them."""
    return [
        method
        for method in METHODS
        if method == "raw"
        or value(f"restore/{method}/specimens") == "all"
        or specimen in value(f"restore/{method}/specimens")
    ]


def opening(method, key):
    """How a method is opened: its model, precision or, of a network that can be told, its prior."""
    if method == "raw":
        return {"model": "identity", "precision": "fp32"}.get(key)
    return value(f"restore/{method}").get(key)


def image_of(field):
    """The clean image of a field."""
    return f"results/{'views' if field in VIEWS else 'images'}/{field}.nc"


def columns_of(field):
    """The table of a field's columns."""
    return f"results/{'views' if field in VIEWS else 'structures'}/{field}.csv"


def conditions(fields):
    """All recorded conditions of fields: specimen, chain and methods."""
    return [
        (field, chain, methods(field)) for field in fields for chain in chains(field)
    ]


def recorded(pattern, fields):
    """Files of all conditions of fields, and of their methods where the pattern has {method}."""
    return [
        pattern.format(specimen=field, sampling=chain, method=method)
        for field, chain, names in conditions(fields)
        for method in (names if "{method}" in pattern else [""])
        # raw images are not restored
        if not (method == "raw" and "/restored/" in pattern)
    ]


def shard_files(modality, split, count, folder="images"):
    """Files of the first shards of a modality and split; of folder "disordered", with disorder."""
    return [
        f"results/{folder}/{modality}/{split}/{number}.nc" for number in range(count)
    ]


def mixed_shards(modalities, split, count, folder="images"):
    """As many shards, an equal share of each modality."""
    return [
        shard
        for modality in modalities
        for shard in shard_files(modality, split, ceil(count / len(modalities)), folder)
    ]


def experiment_network(name):
    """Architecture and arguments of a network of the experiments; cgrdn_3 has three layers, others lack a term."""
    stem, _, depth = name.partition("_")
    if stem in ("without", "with") or name in [*WRONG, *RESOLUTION]:
        return value(f"experiments/networks/{value('experiments/ablation/network')}")
    chosen = value(f"experiments/networks/{stem}")
    if depth:
        chosen = chosen | {"arguments": chosen["arguments"] | {"layers": int(depth)}}
    return chosen


def experiment_loss(name):
    """The weights of the loss, without or with the term that the name says."""
    kind, _, term = name.partition("_")
    change = {
        "without": {term: 0.0},
        "with": {"adversarial": value("experiments/ablation/adversarial")},
    }
    return value("training/loss") | change.get(kind, {})


# chains that are wrong on purpose, networks that learn wrong or mixed images: one network and all else alike
WRONG = value("experiments/distortions/chains")
RESOLUTION = value("experiments/resolution")


def training_modalities(network):
    """The modalities whose clean images a network of the experiments learns from."""
    return RESOLUTION.get(network, [value("experiments/modality")])


def training_shards(network, split, count):
    """As many shards for every network of the experiments, an equal share of each of its modalities."""
    return mixed_shards(training_modalities(network), split, count)


def pool_memory(number):
    """Memory [MB] of a training run that holds so many shards: 16-bit pixels, twice while they are joined."""
    pixels = number * value("generator/shards/images") * value("generator/shape") ** 2
    return 2000 + ceil(4e-6 * pixels)


def trained(run, file):
    """A file of a training run of the experiments."""
    return f"results/experiments/{'/'.join(map(str, run))}/{file}"


EXPERIMENTS = [
    (experiment, network, seed)
    for experiment, networks in {
        "networks": value("experiments/networks"),
        "depths": [f"cgrdn_{layers}" for layers in value("experiments/depths")],
        "ablation": [
            *[f"without_{term}" for term in value("experiments/ablation/without")],
            "with_adversarial",
        ],
    }.items()
    for network in networks
    for seed in value("experiments/seeds")
]


COMPARISONS = [
    (experiment, network, seed)
    for experiment, networks in {"distortions": WRONG, "resolution": RESOLUTION}.items()
    for network in networks
    for seed in value("experiments/seeds")
]
REDUCED = [
    ("networks", value("experiments/ablation/network"), seed)
    for seed in value("experiments/seeds")
]
# the study shows comparisons once they have been trained
COMPARED = Path(value("experiments/folder"), "distortions.csv").exists()


# methods of the benchmarks that have no weights, and what the library calls them
FILTERS = {"raw": "identity", "bm3d": "bm3d"}


def network_weights(method, modality):
    """The weights of a benchmarked method for a modality; none of a filter."""
    if method in FILTERS:
        return []
    return f"{WEIGHTS[method]}/{modality}.safetensors"


# our own networks are taken up as soon as their weights are there
SHIPPED = [
    modality
    for modality in MODALITIES
    if Path(network_weights("trained", modality)).exists()
]
BENCHMARKS = [
    (method, modality)
    # an overlay may reorder the configuration; tables and figures keep this order
    for method in ["raw", "bm3d", "published", "trained"]
    if method in config["benchmarks"]["methods"]
    for modality in MODALITIES
    if value(f"benchmarks/methods/{method}")["modalities"] in ["all"]
    or modality in value(f"benchmarks/methods/{method}")["modalities"]
    if method != "trained" or modality in SHIPPED
]
SIMULATED = value("micrographs/shown")
RESTORING = [
    (network, modality)
    for network in ["published", "trained"]
    for modality in [value("micrographs/modality"), *SIMULATED]
    if network != "trained" or modality in SHIPPED
]


def micrographs(modality):
    """The micrographs of a modality: real ones where there are some, else a simulated one."""
    if modality in SIMULATED:
        return f"results/pairs/micrographs/{modality}.nc"
    return "results/inputs/micrographs.nc"


def estimators(method, sampling):
    """How a method's images are fitted: by maximum likelihood only where electrons are counted and nothing else is."""
    counted = sampling in SAMPLINGS or value(f"distortions/chains/{sampling}") == [
        "shot"
    ]
    return [
        name
        for name in value(f"columns/estimators/{method}")
        if counted or name != "ml"
    ]


wildcard_constraints:
    specimen="|".join(SPECIMENS),
    sampling="|".join(SAMPLINGS),
    method="|".join(METHODS),
    configuration=r"\d+",
