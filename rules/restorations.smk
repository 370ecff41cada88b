# Fig. 2: simulated specimens, distorted as in training, restored by every method.

# filters first, as in the paper
SHOWN = sorted(RESTORED, key=lambda method: bool(weights(method)))


rule draw_examples:
    """Choose clean images by a rule and distort them as in training."""
    input:
        images=f"results/images/{value('restorations/modality')}/validation/0.nc",
    output:
        pairs="results/pairs/examples.nc",
        record=record("pairs/examples"),
    log:
        "results/logs/draw_examples.log",
    benchmark:
        "results/timings/draw_examples.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        modality=value("restorations/modality"),
        kind=value("restorations/kind"),
        pixel_size=value("restorations/pixel_size"),
        specimens=value("restorations/specimens"),
        distortions=value("distortions"),
        chain=value("restorations/chain"),
        seed=value("seed"),
        code=code("draw_examples.py"),
    script:
        "../src/scripts/draw_examples.py"


rule restore_examples:
    """Restore the examples by a method: a network or a filter."""
    input:
        weights=lambda w: weights(w.method),
        pairs=rules.draw_examples.output.pairs,
    output:
        restored="results/restored/{method}/examples.nc",
        record=record("restored/{method}/examples"),
    log:
        "results/logs/restore_examples/{method}.log",
    benchmark:
        "results/timings/restore_examples/{method}.tsv"
    wildcard_constraints:
        method="|".join(RESTORED),
    conda:
        "../envs/environment.yaml"
    params:
        model=lambda w: opening(w.method, "model"),
        precision=lambda w: opening(w.method, "precision"),
        prior=lambda w: opening(w.method, "prior"),
        realisations="all",
        code=code("restore_images.py"),
    script:
        "../src/scripts/restore_images.py"


rule score_examples:
    """Score restored examples: PSNR, SSIM and mean absolute error of each."""
    input:
        pairs=rules.draw_examples.output.pairs,
        restored=expand(rules.restore_examples.output.restored, method=SHOWN),
    output:
        table="results/tables/fig02.csv",
        record=record("tables/fig02"),
    log:
        "results/logs/score_examples.log",
    benchmark:
        "results/timings/score_examples.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        methods=SHOWN,
        code=code("score_examples.py"),
    script:
        "../src/scripts/score_examples.py"


rule plot_restorations:
    """Fig. 2: distorted, restored and undistorted images with their PSNR."""
    input:
        pairs=rules.draw_examples.output.pairs,
        restored=expand(rules.restore_examples.output.restored, method=SHOWN),
        table=rules.score_examples.output.table,
    output:
        png="results/figures/fig02.png",
        pdf="results/figures/fig02.pdf",
        record=record("figures/fig02"),
    log:
        "results/logs/plot_restorations.log",
    benchmark:
        "results/timings/plot_restorations.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        methods=SHOWN,
        code=code("plot_restorations.py"),
    script:
        "../src/scripts/plot_restorations.py"
