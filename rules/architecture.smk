ARCHITECTURE_FIGURES = {
    "fig09": "cgrdn",
    "fig10": "discriminator",
    "network_compact": "compact",
}


rule plot_architecture:
    """Draw a network from its modules: CGRDN (Fig. 9), the patch discriminator (Fig. 10), and our compact one."""
    output:
        png="results/figures/{figure}.png",
        pdf="results/figures/{figure}.pdf",
        record=record("figures/{figure}"),
    log:
        "results/logs/plot_architecture/{figure}.log",
    benchmark:
        "results/timings/plot_architecture/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(ARCHITECTURE_FIGURES),
    conda:
        "../envs/environment.yaml"
    params:
        network=lambda w: ARCHITECTURE_FIGURES[w.figure],
        edge=value("architecture/edge"),
        code=code("plot_architecture.py"),
    script:
        "../src/scripts/plot_architecture.py"
