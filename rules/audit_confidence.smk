# Confidence of columns that needs no truth, held against true errors.
CONFIDENT = value("audit/confidence/specimens")
TRUSTED = [name for name in value("audit/confidence/methods") if name in RESTORED]


rule audit_confidence:
    """Spread every column's measurements over perturbed copies of its image, and hold spreads against true errors."""
    input:
        weights=[weights(method) for method in TRUSTED if weights(method)],
        pairs=recorded("results/pairs/{specimen}/{sampling}.nc", CONFIDENT),
        scores="results/scores/realistic.parquet",
    output:
        confidence="results/audit/confidence.parquet",
        table="results/tables/audit_confidence.csv",
        record=record("tables/audit_confidence"),
    log:
        "results/logs/audit_confidence.log",
    benchmark:
        "results/timings/audit_confidence.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        conditions=[(field, chain) for field in CONFIDENT for chain in chains(field)],
        methods={
            method: {
                **{
                    key: opening(method, key)
                    for key in ["model", "precision", "prior"]
                },
                "network": bool(weights(method)),
            }
            for method in TRUSTED
        },
        doses=value("audit/confidence/doses"),
        realisations=value("audit/confidence/realisations"),
        copies=value("audit/confidence/copies"),
        tolerance=value("audit/confidence/tolerance"),
        width=value("columns/width"),
        background=value("columns/background"),
        seed=value("seed"),
        code=code("audit_confidence.py"),
    script:
        "../src/scripts/audit_confidence.py"


rule plot_audit_confidence:
    """Draw true errors against spreads, and what remains when the least sure columns are left out."""
    input:
        confidence=rules.audit_confidence.output.confidence,
        table=rules.audit_confidence.output.table,
    output:
        png="results/figures/audit_confidence.png",
        pdf="results/figures/audit_confidence.pdf",
        record=record("figures/audit_confidence"),
    log:
        "results/logs/plot_audit_confidence.log",
    benchmark:
        "results/timings/plot_audit_confidence.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        tolerance=value("audit/confidence/tolerance"),
        code=code("plot_audit_confidence.py"),
    script:
        "../src/scripts/plot_audit_confidence.py"
