# Our networks beside the published one, in everything that was measured of columns against a truth.
BESIDE = "trained" in METHODS


rule compare_networks:
    """Set our networks' distances from the truth against the published one's, condition by condition."""
    input:
        displaced=rules.tabulate_displacements.output.table,
        realistic=rules.tabulate_accuracy.output.table,
        counts=rules.count_atoms.output.table,
        survival=rules.audit_features.output.survival,
        invented=rules.audit_features.output.invented,
        departures=rules.audit_departures.output.table,
    output:
        table="results/tables/versus.csv",
        summary="results/tables/versus_summary.csv",
        record=record("tables/versus"),
    log:
        "results/logs/compare_networks.log",
    benchmark:
        "results/timings/compare_networks.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        tolerance=value("benchmarks/tolerance"),
        code=code("compare_networks.py"),
    script:
        "../src/scripts/compare_networks.py"


rule plot_versus:
    """Draw those distances."""
    input:
        table=rules.compare_networks.output.table,
    output:
        png="results/figures/versus.png",
        pdf="results/figures/versus.pdf",
        record=record("figures/versus"),
    log:
        "results/logs/plot_versus.log",
    benchmark:
        "results/timings/plot_versus.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        tolerance=value("benchmarks/tolerance"),
        code=code("plot_versus.py"),
    script:
        "../src/scripts/plot_versus.py"
