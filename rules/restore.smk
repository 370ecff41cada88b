rule restore:
    """Restore noisy images of a specimen and sampling by a method: a network or a filter."""
    input:
        weights=lambda w: weights(w.method),
        pairs="results/pairs/{specimen}/{sampling}.nc",
    output:
        restored="results/restored/{method}/{specimen}/{sampling}.nc",
        record=record("restored/{method}/{specimen}/{sampling}"),
    log:
        "results/logs/restore/{method}/{specimen}/{sampling}.log",
    benchmark:
        "results/timings/restore/{method}/{specimen}/{sampling}.tsv"
    wildcard_constraints:
        method="|".join(RESTORED),
        specimen="|".join([*SPECIMENS, *FIELDS]),
        sampling="|".join([*SAMPLINGS, *CHAINS]),
    conda:
        "../envs/environment.yaml"
    # filters compute on one core; networks take all there are, so two of them side by side would be no faster
    threads: lambda w: 2 if weights(w.method) else 1
    resources:
        mem_mb=6000,
        runtime=240,
    params:
        model=lambda w: opening(w.method, "model"),
        precision=lambda w: opening(w.method, "precision"),
        prior=lambda w: opening(w.method, "prior"),
        realisations=lambda w: value(f"restore/{w.method}/realisations"),
        code=code("restore_images.py"),
    script:
        "../src/scripts/restore_images.py"
