rule plot_precision:
    """Fig. 3: precision of positions and cross sections against thickness and dose, with example images."""
    input:
        table="results/tables/fig03.csv",
        pairs=expand("results/pairs/bulk/{sampling}.nc", sampling=SAMPLINGS[-1:]),
        restored=expand(
            "results/restored/published/bulk/{sampling}.nc", sampling=SAMPLINGS[-1:]
        ),
    output:
        png="results/figures/fig03.png",
        pdf="results/figures/fig03.pdf",
        record=record("figures/fig03"),
    log:
        "results/logs/plot_precision.log",
    benchmark:
        "results/timings/plot_precision.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        pixel_sizes={name: value(f"samplings/{name}/pixel_size") for name in SAMPLINGS},
        code=code("plot_precision.py"),
    script:
        "../src/scripts/plot_precision.py"


rule plot_bias:
    """Beside Fig. 3: bias and RMSE of the same measurements."""
    input:
        table="results/tables/fig03.csv",
    output:
        png="results/figures/fig03_bias.png",
        pdf="results/figures/fig03_bias.pdf",
        record=record("figures/fig03_bias"),
    log:
        "results/logs/plot_bias.log",
    benchmark:
        "results/timings/plot_bias.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        pixel_sizes={name: value(f"samplings/{name}/pixel_size") for name in SAMPLINGS},
        code=code("plot_bias.py"),
    script:
        "../src/scripts/plot_bias.py"


rule plot_displacements:
    """Beside Fig. 3: what restoration keeps of true column displacements."""
    input:
        table="results/tables/displaced.csv",
    output:
        png="results/figures/fig03_displaced.png",
        pdf="results/figures/fig03_displaced.pdf",
        record=record("figures/fig03_displaced"),
    log:
        "results/logs/plot_displacements.log",
    benchmark:
        "results/timings/plot_displacements.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        pixel_sizes={name: value(f"samplings/{name}/pixel_size") for name in SAMPLINGS},
        displacements={
            name: value(f"specimens/{name}/displacement") for name in DISPLACED
        },
        code=code("plot_displacements.py"),
    script:
        "../src/scripts/plot_displacements.py"
