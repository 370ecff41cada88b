# Shared by all rules: checked configuration, values by path, digests of code, names of records.
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "src"))
from emrestore import config as study
from emrestore.errors import EmrestoreError
from emrestore.workflow import code_digest

BASE = Path(workflow.basedir)

try:
    study.check(
        config,
        yaml.safe_load(
            (BASE / "config/schema/config.schema.yaml").read_text(encoding="utf-8")
        ),
    )
except EmrestoreError as error:
    raise WorkflowError(str(error)) from None


def value(path):
    """A value of the configuration, for example value("multislice/energy")."""
    return study.value(config, path)


def code(script):
    """A digest of a script and of all library code it imports: changed code reruns what depends on it."""
    return code_digest(BASE / "src/scripts" / script, BASE / "src/emrestore")


def record(name):
    """Where a job writes what made its outputs (commit, code, versions, hashes of inputs and outputs)."""
    return f"results/provenance/{name}.json"


SPECIMENS = value("study/specimens")
DISPLACED = [name for name in SPECIMENS if value(f"specimens/{name}/displacement") > 0]
SAMPLINGS = value("study/samplings")
FIELDS = value("recordings/specimens")
CHAINS = value("recordings/distortions")
CRYSTALS = value("realism/crystals")
METHODS = list(study.unwrap(config["columns"]["estimators"]))


MODALITIES = ["hrstem", "lrstem", "hrsem", "lrsem", "hrtem", "lrtem"]
SPLITS = ["train", "validation"]
# what an image depends on; how many there are moves none of them
GENERATOR = {
    key: branch for key, branch in value("generator").items() if key != "shards"
}
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


def shards(modalities, splits):
    """Files of all shards of some modalities and splits."""
    return [
        f"results/images/{modality}/{split}/{number}.nc"
        for modality in modalities
        for split in splits
        for number in range(value(f"generator/shards/{split}"))
    ]


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
