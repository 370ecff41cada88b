# Cards of the networks that ship: `snakemake cards` writes them beside the weights, from the benchmarks and, of the
# network that columns are measured with, from the study.


KEPT_MODELS = [
    name
    for name in with_starts(SHIPPED)
    if Path(value("models/folder"), f"{name}.json").exists()
]


rule write_card:
    """Say what a network was trained on, what it scores and where it fails."""
    input:
        weights=f"{value('models/folder')}/{{modality}}.safetensors",
        history=f"{value('models/folder')}/{{modality}}.csv",
        scores=rules.tabulate_benchmarks.output.table,
        summary=rules.tabulate_benchmarks.output.summary,
        # of the network that the study measures columns with
        columns=lambda w: (
            rules.compare_networks.output.summary
            if w.modality == value("restore/trained/model")
            else []
        ),
        priors=lambda w: (
            rules.measure_priors.output.table
            if w.modality == value("priors/model")
            else []
        ),
        records=[f"{value('models/folder')}/{name}.json" for name in KEPT_MODELS],
        histories=[f"{value('models/folder')}/{name}.csv" for name in KEPT_MODELS],
    output:
        page="results/cards/{modality}_card.md",
        facts="results/cards/{modality}_card.json",
        record=record("cards/{modality}"),
    log:
        "results/logs/write_card/{modality}.log",
    benchmark:
        "results/timings/write_card/{modality}.tsv"
    wildcard_constraints:
        modality="|".join(MODALITIES),
    conda:
        "../envs/environment.yaml"
    params:
        modality="{modality}",
        code=code("write_card.py"),
    script:
        "../src/scripts/write_card.py"


use rule keep_model as keep_card with:
    input:
        files=[rules.write_card.output.page, rules.write_card.output.facts],
    output:
        done="results/cards/{modality}_kept.txt",
        record=record("cards/{modality}_kept"),
    log:
        "results/logs/keep_card/{modality}.log",
    benchmark:
        "results/timings/keep_card/{modality}.tsv"
    wildcard_constraints:
        modality="|".join(MODALITIES),


rule tabulate_models:
    """Tabulate the networks that ship: what each saw, how long it trained, what it reached."""
    input:
        records=rules.write_card.input.records,
        histories=rules.write_card.input.histories,
    output:
        table="results/tables/models.csv",
        record=record("tables/models"),
    log:
        "results/logs/tabulate_models.log",
    benchmark:
        "results/timings/tabulate_models.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("tabulate_models.py"),
    script:
        "../src/scripts/tabulate_models.py"
