rule distort_gallery:
    """Distort one image by each effect alone, exaggerated, and by all of a chain (Figs 12 to 14)."""
    input:
        image=lambda w: {
            "tem": "results/images/nanoparticle_hrtem.nc",
            "stem": "results/images/bulk.nc",
        }[w.modality],
    output:
        gallery="results/gallery/{modality}.nc",
        record=record("gallery/{modality}"),
    log:
        "results/logs/distort_gallery/{modality}.log",
    benchmark:
        "results/timings/distort_gallery/{modality}.tsv"
    wildcard_constraints:
        modality="tem|stem",
    conda:
        "../envs/environment.yaml"
    params:
        modality="{modality}",
        entries=lambda w: value(f"gallery/panels/{w.modality}")
        | value("gallery/panels/both"),
        field=lambda w: value(f"gallery/fields/{w.modality}"),
        dose=value("gallery/dose"),
        draw=value("gallery/draw"),
        distortions=value("distortions"),
        seed=value("seed"),
        code=code("distort_gallery.py"),
    script:
        "../src/scripts/distort_gallery.py"


GALLERIES = {
    "fig12": {"modality": "tem", "panels": [], "columns": 6},
    "fig13": {
        "modality": "stem",
        "panels": ["jitter_x", "jitter_y", "clean"],
        "columns": 3,
    },
    "fig14": {"modality": "stem", "panels": [], "columns": 6},
}


rule plot_gallery:
    """Draw a gallery of distortions (Figs 12 and 14), or jitter along each axis (Fig. 13)."""
    input:
        gallery=lambda w: f"results/gallery/{GALLERIES[w.figure]['modality']}.nc",
    output:
        png="results/figures/{figure}.png",
        pdf="results/figures/{figure}.pdf",
        record=record("figures/{figure}"),
    log:
        "results/logs/plot_gallery/{figure}.log",
    benchmark:
        "results/timings/plot_gallery/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(GALLERIES),
    conda:
        "../envs/environment.yaml"
    params:
        panels=lambda w: GALLERIES[w.figure]["panels"],
        columns=lambda w: GALLERIES[w.figure]["columns"],
        code=code("plot_gallery.py"),
    script:
        "../src/scripts/plot_gallery.py"
