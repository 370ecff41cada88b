# Does the mean of many restored images converge to the truth?
AVERAGED = value("audit/averaging/specimens")


rule audit_averaging:
    """Tell bias from variance in images and columns, and hold what images share against what is true."""
    input:
        pairs=recorded("results/pairs/{specimen}/{sampling}.nc", AVERAGED),
        restored=recorded(
            "results/restored/{method}/{specimen}/{sampling}.nc", AVERAGED
        ),
        columns=[columns_of(field) for field, _, _ in conditions(AVERAGED)],
        scores="results/scores/realistic.parquet",
    output:
        averaging="results/tables/audit_averaging.csv",
        frc="results/tables/audit_frc.csv",
        resolution="results/tables/audit_resolution.csv",
        record=record("tables/audit_averaging"),
    log:
        "results/logs/audit_averaging.log",
    benchmark:
        "results/timings/audit_averaging.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        conditions=conditions(AVERAGED),
        border=value("columns/border"),
        code=code("audit_averaging.py"),
    script:
        "../src/scripts/audit_averaging.py"


rule plot_audit_averaging:
    """Draw the error of means of images, the bias map of restored images, and their Fourier rings."""
    input:
        pairs="results/pairs/dislocation/poisson.nc",
        restored="results/restored/published/dislocation/poisson.nc",
        columns="results/structures/dislocation.csv",
        averaging=rules.audit_averaging.output.averaging,
        frc=rules.audit_averaging.output.frc,
    output:
        png="results/figures/audit_averaging.png",
        pdf="results/figures/audit_averaging.pdf",
        record=record("figures/audit_averaging"),
    log:
        "results/logs/plot_audit_averaging.log",
    benchmark:
        "results/timings/plot_audit_averaging.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        field="dislocation",
        chain="poisson",
        code=code("plot_audit_averaging.py"),
    script:
        "../src/scripts/plot_audit_averaging.py"
