rule measure_distortions:
    """Hold each distortion against its theory: one row per comparison."""
    output:
        table="results/tables/distortions.csv",
        record=record("tables/distortions"),
    log:
        "results/logs/measure_distortions.log",
    benchmark:
        "results/timings/measure_distortions.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        seed=value("seed"),
        code=code("measure_distortions.py"),
    script:
        "../src/scripts/measure_distortions.py"


rule plot_theory:
    """Beside Figs 12 to 14: each distortion's statistic, its theory and the residual."""
    input:
        table="results/tables/distortions.csv",
    output:
        png="results/figures/distortions.png",
        pdf="results/figures/distortions.pdf",
        record=record("figures/distortions"),
    log:
        "results/logs/plot_theory.log",
    benchmark:
        "results/timings/plot_theory.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("plot_theory.py"),
    script:
        "../src/scripts/plot_theory.py"
