BOUNDED = [name for name in value("audit/bounds/methods") if name in METHODS]
# the lattice that all jobs share, and what is done to it
BOUNDS_LATTICE = {
    name: value(f"audit/bounds/{name}")
    for name in ["thickness", "columns", "doses", "widths"]
}


rule audit_columns:
    """Displace Gaussian columns of known positions, record, restore and fit them by one method."""
    input:
        weights=lambda w: [] if w.method == "raw" else weights(w.method),
        truth=f"results/truth/bulk/{value('audit/bounds/sampling')}.parquet",
        pairs=f"results/pairs/bulk/{value('audit/bounds/sampling')}.nc",
    output:
        fits="results/audit/{method}.parquet",
        record=record("audit/{method}"),
    log:
        "results/logs/audit_columns/{method}.log",
    benchmark:
        "results/timings/audit_columns/{method}.tsv"
    wildcard_constraints:
        method="|".join(BOUNDED),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        **BOUNDS_LATTICE,
        model=lambda w: opening(w.method, "model"),
        precision=lambda w: opening(w.method, "precision"),
        prior=lambda w: opening(w.method, "prior"),
        estimators=lambda w: value(f"columns/estimators/{w.method}"),
        step=value("audit/bounds/step"),
        # slow methods restore fewer
        realisations=lambda w: (
            value("audit/bounds/realisations")
            if w.method == "raw" or value(f"restore/{w.method}/realisations") == "all"
            else min(
                value("audit/bounds/realisations"),
                value(f"restore/{w.method}/realisations"),
            )
        ),
        seed=value("seed"),
        code=code("audit_columns.py"),
    script:
        "../src/scripts/audit_columns.py"


rule audit_bounds:
    """Set errors on Gaussian columns against the Cramér-Rao, biased and van Trees bounds."""
    input:
        truth=f"results/truth/bulk/{value('audit/bounds/sampling')}.parquet",
        pairs=f"results/pairs/bulk/{value('audit/bounds/sampling')}.nc",
        fits=expand("results/audit/{method}.parquet", method=BOUNDED),
    output:
        table="results/tables/audit_bounds.csv",
        response="results/tables/audit_response.csv",
        record=record("tables/audit_bounds"),
    log:
        "results/logs/audit_bounds.log",
    benchmark:
        "results/timings/audit_bounds.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        **BOUNDS_LATTICE,
        methods=BOUNDED,
        realisations=value("audit/bounds/realisations"),
        border=value("columns/border"),
        seed=value("seed"),
        code=code("audit_bounds.py"),
    script:
        "../src/scripts/audit_bounds.py"


rule plot_audit_bounds:
    """Draw errors on Gaussian columns against the bounds that hold for them."""
    input:
        table="results/tables/audit_bounds.csv",
    output:
        png="results/figures/audit_bounds.png",
        pdf="results/figures/audit_bounds.pdf",
        record=record("figures/audit_bounds"),
    log:
        "results/logs/plot_audit_bounds.log",
    benchmark:
        "results/timings/plot_audit_bounds.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("plot_audit_bounds.py"),
    script:
        "../src/scripts/plot_audit_bounds.py"
