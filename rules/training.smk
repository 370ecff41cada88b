# Training, resumable, a job a network: `snakemake models` trains the networks that ship, `snakemake experiments` the
# small ones of Fig. 1, Table 1 and the loss ablation, and those that rules/comparisons.smk compares.

EXPERIMENT = "|".join(["networks", "depths", "ablation"])


ARCHITECTURE = value(f"models/architectures/{value('models/architecture')}")
STARTS = {"trained": "results/models", "kept": value("models/folder")}[
    value("models/starts")
]
SCORING = {
    "chain": value("experiments/chain"),
    "distortions": value("distortions"),
    "pairs": value("experiments/pairs"),
    "columns": value("experiments/columns"),
    "border": value("columns/border"),
    "seed": value("seed"),
}


rule train_network:
    """Train one network of an experiment; a run that is killed goes on from its checkpoint."""
    input:
        train_shards=lambda w: training_shards(
            w.network, "train", value("experiments/shards")
        ),
        validation_shards=lambda w: training_shards(
            w.network, "validation", value("experiments/validation")
        ),
        start=[],
    output:
        weights="results/experiments/{experiment}/{network}/{seed}/weights.safetensors",
        history="results/experiments/{experiment}/{network}/{seed}/history.csv",
        record=record("experiments/{experiment}/{network}/{seed}"),
    log:
        "results/logs/train_network/{experiment}/{network}/{seed}.log",
    benchmark:
        "results/timings/train_network/{experiment}/{network}/{seed}.tsv"
    wildcard_constraints:
        experiment=f"{EXPERIMENT}|distortions|resolution",
        seed=r"\d+",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        # the loop takes a GPU where there is one; profiles/slurm asks for it
        mem_mb=pool_memory(value("experiments/shards")),
        runtime=1440,
    params:
        name="{experiment}-{network}-{seed}",
        modality=lambda w: training_modalities(w.network)[0],
        # all networks see the same crops and distortions with one seed
        stream=lambda w: training_modalities(w.network)[0],
        architecture=lambda w: experiment_network(w.network)["architecture"],
        arguments=lambda w: experiment_network(w.network)["arguments"],
        chain=lambda w: (
            w.network if w.network in WRONG else value("experiments/chain")
        ),
        distortions=value("distortions"),
        loss=lambda w: experiment_loss(w.network),
        terms=value("training/terms"),
        schedule=value("training/schedule")
        | {
            "crop": value("experiments/crop"),
            "critic": value("experiments/critic"),
        },
        crops=value("experiments/crops"),
        precision=value("training/precision"),
        devices=value("training/devices"),
        tensorboard=value("training/tensorboard"),
        folder="results/checkpoints/{experiment}/{network}/{seed}",
        seed=lambda w: value("seed") + int(w.seed),
        half=False,
        code=code("train_network.py"),
    script:
        "../src/scripts/train_network.py"


use rule train_network as train_model with:
    input:
        train_shards=lambda w: mixed_shards(
            model(w.network)["images"],
            "train",
            model(w.network)["shards"] or value("models/shards"),
            "disordered",
        ),
        validation_shards=lambda w: mixed_shards(
            model(w.network)["images"],
            "validation",
            value("models/validation"),
            "disordered",
        ),
        start=lambda w: (
            f"{STARTS}/{start}.safetensors"
            if (start := model(w.network)["start"])
            else []
        ),
    output:
        weights="results/models/{network}.safetensors",
        history="results/models/{network}.csv",
        record=record("models/{network}"),
    log:
        "results/logs/train_model/{network}.log",
    benchmark:
        "results/timings/train_model/{network}.tsv"
    wildcard_constraints:
        network="|".join(value("models/networks")),
    threads: 2
    resources:
        mem_mb=pool_memory(value("models/shards")),
        runtime=1440,
    params:
        name="{network}",
        modality=lambda w: model(w.network)["modality"],
        # a network that goes on from another of its modality sees crops that are new to it
        stream="{network}",
        architecture=ARCHITECTURE["architecture"],
        arguments=lambda w: ARCHITECTURE["arguments"]
        | {"conditional": model(w.network)["conditional"]}
        | ({"told": told} if (told := model(w.network)["told"]) else {})
        | ({"lattice": lattice} if (lattice := model(w.network)["lattice"]) else {}),
        chain=lambda w: model(w.network)["chain"],
        distortions=lambda w: trained_on(w.network),
        loss=value("models/loss"),
        terms=lambda w: value("training/terms")
        | {
            key: model(w.network)[key]
            for key in ["log_floor"]
            if model(w.network)[key] is not None
        },
        schedule=lambda w: value("training/schedule")
        | {
            "optimiser": value("models/optimiser"),
            "learning_rate": value("models/learning_rate"),
        }
        | {
            key: model(w.network)[key]
            for key in ["learning_rate", "share", "crop", "batch"]
            if model(w.network)[key] is not None
        },
        crops=lambda w: model(w.network)["crops"],
        precision=value("training/precision"),
        devices=value("training/devices"),
        tensorboard=value("training/tensorboard"),
        folder="results/checkpoints/models/{network}",
        seed=value("seed"),
        half=value("models/half"),
        code=code("train_network.py"),


rule keep_model:
    """Keep a network in models/, from where studies and users read it, with the history and the record of its training."""
    input:
        files=[
            rules.train_model.output.weights,
            rules.train_model.output.history,
            rules.train_model.output.record,
        ],
    output:
        done="results/models/{network}_kept.txt",
        record=record("models/{network}_kept"),
    log:
        "results/logs/keep_model/{network}.log",
    benchmark:
        "results/timings/keep_model/{network}.tsv"
    wildcard_constraints:
        network="|".join(value("models/networks")),
    conda:
        "../envs/environment.yaml"
    params:
        folder=value("models/keep"),
        code=code("keep_files.py"),
    script:
        "../src/scripts/keep_files.py"


rule score_network:
    """Score a trained network on fixed pairs and on displaced columns, beside what it costs."""
    input:
        weights=rules.train_network.output.weights,
        history=rules.train_network.output.history,
        validation_shards=shard_files(
            value("experiments/modality"),
            "validation",
            value("experiments/validation"),
        ),
    output:
        scores="results/experiments/{experiment}/{network}/{seed}/scores.csv",
        record=record("experiments/{experiment}/{network}/{seed}_scores"),
    log:
        "results/logs/score_network/{experiment}/{network}/{seed}.log",
    benchmark:
        "results/timings/score_network/{experiment}/{network}/{seed}.tsv"
    wildcard_constraints:
        experiment=EXPERIMENT,
        seed=r"\d+",
    conda:
        "../envs/environment.yaml"
    params:
        **SCORING,
        name="{experiment}-{network}-{seed}",
        model=value("experiments/modality"),
        precision="fp32",
        code=code("score_network.py"),
    script:
        "../src/scripts/score_network.py"


use rule score_network as score_other with:
    input:
        weights=lambda w: weights(w.method),
        history=[],
        validation_shards=shard_files(
            value("experiments/modality"),
            "validation",
            value("experiments/validation"),
        ),
    output:
        scores="results/experiments/others/{method}/scores.csv",
        record=record("experiments/others/{method}_scores"),
    log:
        "results/logs/score_other/{method}.log",
    benchmark:
        "results/timings/score_other/{method}.tsv"
    wildcard_constraints:
        method="|".join(OTHERS),
    params:
        **SCORING,
        name="{method}",
        model=lambda w: value(f"restore/{w.method}/model"),
        precision="fp32",
        code=code("score_network.py"),


rule keep_experiments:
    """Keep scores, histories and provenance of all experiments in models/experiments, which the default study reads."""
    input:
        scores=expand(
            "results/experiments/{run}/scores.csv",
            run=[
                *["/".join(map(str, run)) for run in EXPERIMENTS],
                *[f"others/{method}" for method in OTHERS],
            ],
        ),
        histories=expand(
            "results/experiments/{run}/history.csv",
            run=["/".join(map(str, run)) for run in EXPERIMENTS],
        ),
        records=expand(
            record("experiments/{run}"),
            run=["/".join(map(str, run)) for run in EXPERIMENTS],
        ),
    output:
        done="results/experiments/kept.txt",
        record=record("experiments/kept"),
    log:
        "results/logs/keep_experiments.log",
    benchmark:
        "results/timings/keep_experiments.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        runs=[
            *[list(run) for run in EXPERIMENTS],
            *[["others", method, 0] for method in OTHERS],
        ],
        folder=value("experiments/keep"),
        code=code("keep_experiments.py"),
    script:
        "../src/scripts/keep_experiments.py"


rule tabulate_experiments:
    """Tabulate the kept scores of experiments (Fig. 1, Table 1, loss ablation)."""
    input:
        scores=f"{value('experiments/folder')}/scores.csv",
    output:
        networks="results/tables/experiments.csv",
        ablation="results/tables/ablation.csv",
        record=record("tables/experiments"),
    log:
        "results/logs/tabulate_experiments.log",
    benchmark:
        "results/timings/tabulate_experiments.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        network=value("experiments/ablation/network"),
        code=code("tabulate_experiments.py"),
    script:
        "../src/scripts/tabulate_experiments.py"


rule plot_experiments:
    """Draw Fig. 1, Table 1 and the loss ablation."""
    input:
        networks=rules.tabulate_experiments.output.networks,
        ablation=rules.tabulate_experiments.output.ablation,
    output:
        png="results/figures/fig01.png",
        pdf="results/figures/fig01.pdf",
        record=record("figures/fig01"),
    log:
        "results/logs/plot_experiments.log",
    benchmark:
        "results/timings/plot_experiments.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("plot_experiments.py"),
    script:
        "../src/scripts/plot_experiments.py"
