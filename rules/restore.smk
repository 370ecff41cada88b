rule restore_published:
    """Restore all noisy images of a specimen and sampling with the authors' network."""
    input:
        weights=f"results/inputs/published/{value('restore/published/model')}.safetensors",
        pairs="results/pairs/{specimen}/{sampling}.nc",
    output:
        restored="results/restored/published/{specimen}/{sampling}.nc",
        record=record("restored/published/{specimen}/{sampling}"),
    log:
        "results/logs/restore_published/{specimen}/{sampling}.log",
    benchmark:
        "results/timings/restore_published/{specimen}/{sampling}.tsv"
    wildcard_constraints:
        specimen="|".join([*SPECIMENS, *FIELDS]),
        sampling="|".join([*SAMPLINGS, *CHAINS]),
    conda:
        "../envs/environment.yaml"
    threads: 2
    resources:
        mem_mb=6000,
        runtime=240,
    params:
        model=value("restore/published/model"),
        precision=value("restore/published/precision"),
        code=code("restore_images.py"),
    script:
        "../src/scripts/restore_images.py"
