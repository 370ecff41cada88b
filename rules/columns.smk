rule fit_columns:
    """Fit every column of every image of a specimen and sampling, as a method left them."""
    input:
        pairs="results/pairs/{specimen}/{sampling}.nc",
        images=branch(
            lambda w: w.method == "raw",
            then="results/pairs/{specimen}/{sampling}.nc",
            otherwise="results/restored/{method}/{specimen}/{sampling}.nc",
        ),
    output:
        fits="results/columns/{method}/{specimen}/{sampling}.parquet",
        record=record("columns/{method}/{specimen}/{sampling}"),
    log:
        "results/logs/fit_columns/{method}/{specimen}/{sampling}.log",
    benchmark:
        "results/timings/fit_columns/{method}/{specimen}/{sampling}.tsv"
    wildcard_constraints:
        specimen="|".join([*SPECIMENS, *FIELDS]),
        sampling="|".join([*SAMPLINGS, *CHAINS]),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        estimators=lambda w: estimators(w.method, w.sampling),
        width=value("columns/width"),
        background=value("columns/background"),
        code=code("fit_columns.py"),
    script:
        "../src/scripts/fit_columns.py"


rule fit_truth:
    """Fit the clean images, and compute the Cramér-Rao bounds of their noisy realisations."""
    input:
        pairs="results/pairs/{specimen}/{sampling}.nc",
    output:
        truth="results/truth/{specimen}/{sampling}.parquet",
        bounds="results/bounds/{specimen}/{sampling}.parquet",
        record=record("truth/{specimen}/{sampling}"),
    log:
        "results/logs/fit_truth/{specimen}/{sampling}.log",
    benchmark:
        "results/timings/fit_truth/{specimen}/{sampling}.tsv"
    wildcard_constraints:
        specimen="|".join([*SPECIMENS, *FIELDS]),
        sampling="|".join([*SAMPLINGS, *CHAINS]),
    conda:
        "../envs/environment.yaml"
    params:
        estimators=sorted(
            {
                name
                for method in METHODS
                for name in value(f"columns/estimators/{method}")
            }
        ),
        width=value("columns/width"),
        background=value("columns/background"),
        code=code("fit_truth.py"),
    script:
        "../src/scripts/fit_truth.py"
