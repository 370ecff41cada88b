# What the network that ships does when it is told to expect disorder.
TOLD = value("priors/model") in SHIPPED


rule measure_priors:
    """Measure images, positions and contents of columns against the disorder that the network is told to expect."""
    input:
        weights=f"{value('models/folder')}/{value('priors/model')}.safetensors",
        published=f"results/inputs/published/{value('priors/model')}.safetensors",
        validation_shards=shard_files(
            value("priors/model"),
            "validation",
            value("models/validation"),
            "disordered",
        ),
    output:
        table="results/tables/priors.csv",
        record=record("tables/priors"),
    log:
        "results/logs/measure_priors.log",
    benchmark:
        "results/timings/measure_priors.tsv"
    conda:
        "../envs/environment.yaml"
    # networks take all there are, as in restore
    threads: 2
    params:
        model=value("priors/model"),
        precision=value("priors/precision"),
        disorder=value("priors/disorder"),
        lattice=value("experiments/columns"),
        doses=value("priors/doses"),
        widths=value("priors/widths"),
        fields=value("priors/fields"),
        pairs=value("priors/pairs"),
        edge=value("priors/edge"),
        much=value("priors/much"),
        border=value("columns/border"),
        chain=value("benchmarks/chains")[value("priors/model")],
        distortions=TRAINED,
        seed=value("seed"),
        code=code("measure_priors.py"),
    script:
        "../src/scripts/measure_priors.py"


rule plot_priors:
    """Draw what belief in a lattice buys and costs."""
    input:
        table=rules.measure_priors.output.table,
    output:
        png="results/figures/priors.png",
        pdf="results/figures/priors.pdf",
        record=record("figures/priors"),
    log:
        "results/logs/plot_priors.log",
    benchmark:
        "results/timings/plot_priors.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("plot_priors.py"),
    script:
        "../src/scripts/plot_priors.py"
