rule score_columns:
    """Set every fitted column against the fit of its clean image."""
    input:
        pairs=expand("results/pairs/{{specimen}}/{sampling}.nc", sampling=SAMPLINGS),
        truths=expand(
            "results/truth/{{specimen}}/{sampling}.parquet", sampling=SAMPLINGS
        ),
        fits=lambda w: expand(
            "results/columns/{method}/{specimen}/{sampling}.parquet",
            specimen=w.specimen,
            sampling=SAMPLINGS,
            method=methods(w.specimen),
        ),
    output:
        scores="results/scores/{specimen}.parquet",
        record=record("scores/{specimen}"),
    log:
        "results/logs/score_columns/{specimen}.log",
    benchmark:
        "results/timings/score_columns/{specimen}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        samplings=SAMPLINGS,
        methods=lambda w: methods(w.specimen),
        border=value("columns/border"),
        code=code("score_columns.py"),
    script:
        "../src/scripts/score_columns.py"


rule score_images:
    """Set every raw and restored image of the bulk series against its clean image."""
    input:
        pairs=expand("results/pairs/bulk/{sampling}.nc", sampling=SAMPLINGS),
        restored=expand(
            "results/restored/{method}/bulk/{sampling}.nc",
            sampling=SAMPLINGS,
            method=methods("bulk")[1:],
        ),
    output:
        table="results/tables/image_errors.csv",
        record=record("tables/image_errors"),
    log:
        "results/logs/score_images.log",
    benchmark:
        "results/timings/score_images.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        samplings=SAMPLINGS,
        methods=methods("bulk")[1:],
        code=code("score_images.py"),
    script:
        "../src/scripts/score_images.py"


rule tabulate_precision:
    """Tabulate bias, standard deviation, RMSE and bound of the bulk series (Fig. 3)."""
    input:
        scores="results/scores/bulk.parquet",
        bounds=expand("results/bounds/bulk/{sampling}.parquet", sampling=SAMPLINGS),
    output:
        table="results/tables/fig03.csv",
        record=record("tables/fig03"),
    log:
        "results/logs/tabulate_precision.log",
    benchmark:
        "results/timings/tabulate_precision.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        samplings=SAMPLINGS,
        code=code("tabulate_precision.py"),
    script:
        "../src/scripts/tabulate_precision.py"


rule tabulate_displacements:
    """Tabulate how much of true column displacements each method keeps."""
    input:
        scores=expand("results/scores/{specimen}.parquet", specimen=DISPLACED),
        bounds=expand(
            "results/bounds/{specimen}/{sampling}.parquet",
            specimen=DISPLACED,
            sampling=SAMPLINGS,
        ),
    output:
        table="results/tables/displaced.csv",
        record=record("tables/displaced"),
    log:
        "results/logs/tabulate_displacements.log",
    benchmark:
        "results/timings/tabulate_displacements.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        specimens=DISPLACED,
        samplings=SAMPLINGS,
        code=code("tabulate_displacements.py"),
    script:
        "../src/scripts/tabulate_displacements.py"


rule tabulate_cross_sections:
    """Tabulate the cross section of the bulk series against thickness, with its phonon error."""
    input:
        image="results/images/bulk.nc",
        truths=expand("results/truth/bulk/{sampling}.parquet", sampling=SAMPLINGS),
    output:
        table="results/tables/cross_sections.csv",
        record=record("tables/cross_sections"),
    log:
        "results/logs/tabulate_cross_sections.log",
    benchmark:
        "results/timings/tabulate_cross_sections.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        samplings=SAMPLINGS,
        code=code("tabulate_cross_sections.py"),
    script:
        "../src/scripts/tabulate_cross_sections.py"


rule tabulate_networks:
    """Count the parameters of the networks."""
    output:
        table="results/tables/networks.csv",
        record=record("tables/networks"),
    log:
        "results/logs/tabulate_networks.log",
    benchmark:
        "results/timings/tabulate_networks.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("tabulate_networks.py"),
    script:
        "../src/scripts/tabulate_networks.py"
