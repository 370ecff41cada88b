# Fig. 7: what networks do that learned a wrong model of the distortions; whether high and low resolution need a network
# each; whether annotations and cropped borders come through. Trained by rules/training.smk, for `snakemake experiments`.


JUDGED = {
    "distortions": value("distortions"),
    "chain": value("experiments/chain"),
    "pairs": value("experiments/pairs"),
    "seed": value("seed"),
}
LEARNED = [*REDUCED, *[run for run in COMPARISONS if run[0] == "distortions"]]
RESOLVED = [*REDUCED, *[run for run in COMPARISONS if run[0] == "resolution"]]
# the published network, and ours where it ships
NETWORKS = [
    method for method in [*OTHERS, "trained"] if method in RESTORED and weights(method)
]
VALIDATION = shard_files(
    value("experiments/modality"), "validation", value("experiments/validation")
)
KEPT = value("experiments/folder")


rule score_distortions:
    """Judge networks that learned right and wrong models of the distortions on images that are distorted rightly."""
    input:
        weights=[trained(run, "weights.safetensors") for run in LEARNED],
        validation_shards=VALIDATION,
    output:
        scores="results/experiments/distortions.csv",
        panels="results/experiments/distortions.nc",
        record=record("experiments/distortions"),
    log:
        "results/logs/score_distortions.log",
    benchmark:
        "results/timings/score_distortions.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        **JUDGED,
        runs=[
            [network if network in WRONG else value("experiments/chain"), seed]
            for _, network, seed in LEARNED
        ],
        model=value("experiments/modality"),
        conditions=value("experiments/distortions/conditions"),
        shown=value("experiments/distortions/shown"),
        panel=value("experiments/distortions/panel"),
        columns=value("experiments/columns"),
        border=value("columns/border"),
        code=code("score_distortions.py"),
    script:
        "../src/scripts/score_distortions.py"


rule score_resolution:
    """Judge one network for high and low resolution, and one for each, on both, at low and high doses."""
    input:
        weights=[trained(run, "weights.safetensors") for run in RESOLVED],
        hrstem=shard_files("hrstem", "validation", value("experiments/validation")),
        lrstem=shard_files("lrstem", "validation", value("experiments/validation")),
    output:
        scores="results/experiments/resolution.csv",
        record=record("experiments/resolution"),
    log:
        "results/logs/score_resolution.log",
    benchmark:
        "results/timings/score_resolution.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        **JUDGED,
        runs=[
            [network if experiment == "resolution" else "apart_hr", seed]
            for experiment, network, seed in RESOLVED
        ],
        models=[training_modalities(network)[0] for _, network, _ in RESOLVED],
        code=code("score_resolution.py"),
    script:
        "../src/scripts/score_resolution.py"


rule score_annotations:
    """Measure how far compared networks change annotations and cropped borders."""
    input:
        weights=[
            trained(run, "weights.safetensors") for run in [*REDUCED, *COMPARISONS]
        ],
        validation_shards=VALIDATION,
    output:
        scores="results/experiments/annotations.csv",
        record=record("experiments/annotations"),
    log:
        "results/logs/score_annotations.log",
    benchmark:
        "results/timings/score_annotations.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        **JUDGED,
        runs=[list(run) for run in [*REDUCED, *COMPARISONS]],
        models=[
            training_modalities(network)[0]
            for _, network, _ in [*REDUCED, *COMPARISONS]
        ],
        code=code("score_annotations.py"),
    script:
        "../src/scripts/score_annotations.py"


use rule score_annotations as score_shipped_annotations with:
    input:
        weights=[weights(method) for method in NETWORKS],
        validation_shards=VALIDATION,
    output:
        scores="results/scores/annotations.csv",
        record=record("scores/annotations"),
    log:
        "results/logs/score_shipped_annotations.log",
    benchmark:
        "results/timings/score_shipped_annotations.tsv"
    threads: 2
    params:
        **JUDGED,
        runs=[["others", method, 0] for method in ["raw", *NETWORKS]],
        models=["identity", *[opening(method, "model") for method in NETWORKS]],
        code=code("score_annotations.py"),


rule keep_comparisons:
    """Keep scores, panels, histories and provenance of the comparisons in models/experiments, for the default study."""
    input:
        distortions=rules.score_distortions.output.scores,
        panels=rules.score_distortions.output.panels,
        resolution=rules.score_resolution.output.scores,
        annotations=rules.score_annotations.output.scores,
        histories=[trained(run, "history.csv") for run in COMPARISONS],
        records=[
            record(f"experiments/{'/'.join(map(str, run))}") for run in COMPARISONS
        ],
    output:
        done="results/experiments/comparisons_kept.txt",
        record=record("experiments/comparisons_kept"),
    log:
        "results/logs/keep_comparisons.log",
    benchmark:
        "results/timings/keep_comparisons.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        runs=[list(run) for run in COMPARISONS],
        folder=value("experiments/keep"),
        code=code("keep_comparisons.py"),
    script:
        "../src/scripts/keep_comparisons.py"


rule tabulate_comparisons:
    """Tabulate what was compared: means over seeds, what a wrong model changes, what becomes of annotations."""
    input:
        distortions=f"{KEPT}/distortions.csv",
        resolution=f"{KEPT}/resolution.csv",
        annotations=[f"{KEPT}/annotations.csv", "results/scores/annotations.csv"],
    output:
        scores="results/tables/fig07.csv",
        changes="results/tables/fig07_changes.csv",
        resolved="results/tables/resolutions.csv",
        kept="results/tables/annotations.csv",
        record=record("tables/fig07"),
    log:
        "results/logs/tabulate_comparisons.log",
    benchmark:
        "results/timings/tabulate_comparisons.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        right=value("experiments/chain"),
        shows={
            name: condition["shows"]
            for name, condition in value("experiments/distortions/conditions").items()
            if "shows" in condition
        },
        code=code("tabulate_comparisons.py"),
    script:
        "../src/scripts/tabulate_comparisons.py"


rule plot_comparisons:
    """Fig. 7: raw, restored by networks with a wrong and the right model of the distortions, and undistorted."""
    input:
        panels=f"{KEPT}/distortions.nc",
        scores=rules.tabulate_comparisons.output.scores,
    output:
        png="results/figures/fig07.png",
        pdf="results/figures/fig07.pdf",
        record=record("figures/fig07"),
    log:
        "results/logs/plot_comparisons.log",
    benchmark:
        "results/timings/plot_comparisons.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        right=value("experiments/chain"),
        code=code("plot_comparisons.py"),
    script:
        "../src/scripts/plot_comparisons.py"
