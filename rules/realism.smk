rule compare_realism:
    """Compare sums of profiles (Eqs 16, 17) with multislice images of a crystal."""
    output:
        table="results/realism/{crystal}.csv",
        pictures="results/realism/{crystal}.nc",
        record=record("realism/{crystal}"),
    log:
        "results/logs/compare_realism/{crystal}.log",
    benchmark:
        "results/timings/compare_realism/{crystal}.tsv"
    wildcard_constraints:
        crystal="|".join(CRYSTALS),
    conda:
        "../envs/environment.yaml"
    params:
        crystal="{crystal}",
        multislice=value("multislice"),
        settings=value("realism"),
        profiles=value("generator/profiles"),
        seed=value("seed"),
        code=code("compare_realism.py"),
    script:
        "../src/scripts/compare_realism.py"


rule tabulate_realism:
    """Collect the crystals: agreement and failures by thickness, and the power of Z."""
    input:
        parts=expand("results/realism/{crystal}.csv", crystal=CRYSTALS),
    output:
        table="results/tables/realism.csv",
        powers="results/tables/realism_powers.csv",
        record=record("tables/realism"),
    log:
        "results/logs/tabulate_realism.log",
    benchmark:
        "results/timings/tabulate_realism.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("tabulate_realism.py"),
    script:
        "../src/scripts/tabulate_realism.py"


rule plot_realism:
    """Multislice images, sums of profiles, and how far they agree."""
    input:
        table="results/tables/realism.csv",
        powers="results/tables/realism_powers.csv",
        pictures=expand("results/realism/{crystal}.nc", crystal=CRYSTALS),
    output:
        png="results/figures/realism.png",
        pdf="results/figures/realism.pdf",
        record=record("figures/realism"),
    log:
        "results/logs/plot_realism.log",
    benchmark:
        "results/timings/plot_realism.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("plot_realism.py"),
    script:
        "../src/scripts/plot_realism.py"
