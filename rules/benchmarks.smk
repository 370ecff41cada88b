# Benchmarks: every method on the authors' simulated pairs and on pairs of our own validation images.


rule read_authors_pairs:
    """Verify the authors' simulated pairs in the PyPI package tk_r_em and read those of one modality."""
    output:
        images="results/inputs/authors/{modality}.nc",
        record=record("inputs/authors/{modality}"),
    log:
        "results/logs/read_authors_pairs/{modality}.log",
    benchmark:
        "results/timings/read_authors_pairs/{modality}.tsv"
    wildcard_constraints:
        modality="|".join(value("benchmarks/authors")),
    conda:
        "../envs/environment.yaml"
    params:
        modality="{modality}",
        development=value("benchmarks/development"),
        code=code("read_authors_pairs.py"),
    script:
        "../src/scripts/read_authors_pairs.py"


rule draw_benchmark:
    """Distort clean validation images of a modality."""
    input:
        validation_shards=lambda w: shard_files(
            w.modality,
            "validation",
            ceil(value("benchmarks/pairs") / value("generator/shards/images")),
        ),
    output:
        pairs="results/pairs/benchmarks/{modality}.nc",
        record=record("pairs/benchmarks/{modality}"),
    log:
        "results/logs/draw_benchmark/{modality}.log",
    benchmark:
        "results/timings/draw_benchmark/{modality}.tsv"
    wildcard_constraints:
        modality="|".join(MODALITIES),
    conda:
        "../envs/environment.yaml"
    params:
        modality="{modality}",
        edge=value("benchmarks/edge"),
        images=value("benchmarks/pairs"),
        distortions=TRAINED,
        chain=lambda w: value("benchmarks/chains")[w.modality],
        seed=value("seed"),
        code=code("draw_benchmark.py"),
    script:
        "../src/scripts/draw_benchmark.py"


rule score_benchmark:
    """Restore the pairs of a modality by a method, our own first, and score every image."""
    input:
        weights=lambda w: network_weights(w.method, w.modality),
        pairs=lambda w: [
            f"results/pairs/benchmarks/{w.modality}.nc",
            *(
                [f"results/inputs/authors/{w.modality}.nc"]
                if w.modality in value("benchmarks/authors")
                else []
            ),
        ],
    output:
        scores="results/scores/benchmarks/{modality}/{method}.csv",
        record=record("scores/benchmarks/{modality}/{method}"),
    log:
        "results/logs/score_benchmark/{modality}/{method}.log",
    benchmark:
        "results/timings/score_benchmark/{modality}/{method}.tsv"
    wildcard_constraints:
        modality="|".join(MODALITIES),
        method="|".join(value("benchmarks/methods")),
    conda:
        "../envs/environment.yaml"
    # filters compute on one core; networks take all there are, as in restore
    threads: lambda w: 2 if network_weights(w.method, w.modality) else 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        sets=lambda w: (
            ["own", "authors"]
            if w.modality in value("benchmarks/authors")
            else ["own"]
        ),
        modality="{modality}",
        method="{method}",
        model=lambda w: FILTERS.get(w.method, w.modality),
        precision=value("benchmarks/precision"),
        images=lambda w: value(f"benchmarks/methods/{w.method}")["images"],
        code=code("score_benchmark.py"),
    script:
        "../src/scripts/score_benchmark.py"


rule tabulate_benchmarks:
    """Gather the scores of all images and summarise them by set, split, modality and method."""
    input:
        scores=[
            f"results/scores/benchmarks/{modality}/{method}.csv"
            for method, modality in BENCHMARKS
        ],
    output:
        table="results/tables/benchmarks.csv",
        summary="results/tables/benchmark_summary.csv",
        record=record("tables/benchmarks"),
    log:
        "results/logs/tabulate_benchmarks.log",
    benchmark:
        "results/timings/tabulate_benchmarks.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("tabulate_benchmarks.py"),
    script:
        "../src/scripts/tabulate_benchmarks.py"


rule measure_costs:
    """Measure multiply-adds and seconds of the methods for one modality, as the tool restores, two cores if it may."""
    input:
        weights=[
            network_weights(method, modality)
            for method, modality in BENCHMARKS
            if modality == value("benchmarks/modality") and method not in FILTERS
        ],
    output:
        table="results/tables/benchmark_costs.csv",
        record=record("tables/benchmark_costs"),
    log:
        "results/logs/measure_costs.log",
    benchmark:
        "results/timings/measure_costs.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 2
    params:
        networks=[
            method
            for method, modality in BENCHMARKS
            if modality == value("benchmarks/modality") and method not in FILTERS
        ],
        filters=[
            method
            for method, modality in BENCHMARKS
            if modality == value("benchmarks/modality") and method == "bm3d"
        ],
        modality=value("benchmarks/modality"),
        precision=value("restore/published/precision"),
        code=code("measure_costs.py"),
    script:
        "../src/scripts/measure_costs.py"


rule plot_benchmarks:
    """Draw the gain in PSNR of every method and modality, and quality against cost."""
    input:
        summary=rules.tabulate_benchmarks.output.summary,
        costs=rules.measure_costs.output.table,
    output:
        png="results/figures/benchmarks.png",
        pdf="results/figures/benchmarks.pdf",
        record=record("figures/benchmarks"),
    log:
        "results/logs/plot_benchmarks.log",
    benchmark:
        "results/timings/plot_benchmarks.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        modality=value("benchmarks/modality"),
        code=code("plot_benchmarks.py"),
    script:
        "../src/scripts/plot_benchmarks.py"
