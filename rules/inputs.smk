rule read_published:
    """Verify the authors' weights in the PyPI package tk_r_em and convert them to safetensors."""
    output:
        weights="results/inputs/published/{model}.safetensors",
        record=record("inputs/published/{model}"),
    log:
        "results/logs/read_published/{model}.log",
    benchmark:
        "results/timings/read_published/{model}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        model="{model}",
        code=code("read_published.py"),
    script:
        "../src/scripts/read_published.py"
