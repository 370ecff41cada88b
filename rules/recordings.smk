# whose images of the dislocation are walked about: raw ones, and those of networks
WALKED = [
    method for method in methods("dislocation") if method == "raw" or weights(method)
]


rule draw_recordings:
    """Draw recordings of a realistic specimen's clean image at all doses."""
    input:
        image=lambda w: image_of(w.specimen),
        columns=lambda w: columns_of(w.specimen),
    output:
        pairs="results/pairs/{specimen}/{sampling}.nc",
        record=record("pairs/{specimen}/{sampling}"),
    log:
        "results/logs/draw_recordings/{specimen}/{sampling}.log",
    benchmark:
        "results/timings/draw_recordings/{specimen}/{sampling}.tsv"
    wildcard_constraints:
        specimen="|".join(FIELDS),
        sampling="|".join(CHAINS),
    conda:
        "../envs/environment.yaml"
    params:
        field="{specimen}",
        chain="{sampling}",
        doses=lambda w: value(
            f"{'audit' if w.specimen in AUDITED else 'recordings'}/doses"
        ),
        realisations=lambda w: value(
            f"{'audit' if w.specimen in AUDITED else 'recordings'}/realisations"
        ),
        distortions=value("distortions"),
        seed=value("seed"),
        code=code("draw_recordings.py"),
    script:
        "../src/scripts/draw_recordings.py"


rule tabulate_accuracy:
    """Tabulate errors of positions and cross sections of all recorded specimens (Figs 4 and 5, audit)."""
    input:
        pairs=recorded("results/pairs/{specimen}/{sampling}.nc", FITTED),
        truths=recorded("results/truth/{specimen}/{sampling}.parquet", FITTED),
        bounds=recorded("results/bounds/{specimen}/{sampling}.parquet", FITTED),
        fits=recorded("results/columns/{method}/{specimen}/{sampling}.parquet", FITTED),
        columns=[columns_of(field) for field, _, _ in conditions(FITTED)],
    output:
        scores="results/scores/realistic.parquet",
        table="results/tables/realistic.csv",
        record=record("tables/realistic"),
    log:
        "results/logs/tabulate_accuracy.log",
    benchmark:
        "results/timings/tabulate_accuracy.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        conditions=conditions(FITTED),
        border=value("columns/border"),
        code=code("tabulate_accuracy.py"),
    script:
        "../src/scripts/tabulate_accuracy.py"


rule count_atoms:
    """Count the particle's atoms by the library's nearest value and by a mixture (Fig. 5)."""
    input:
        scores=rules.tabulate_accuracy.output.scores,
        columns="results/structures/particle.csv",
        library="results/tables/library.csv",
    output:
        table="results/tables/counts.csv",
        confusions="results/tables/confusions.csv",
        record=record("tables/counts"),
    log:
        "results/logs/count_atoms.log",
    benchmark:
        "results/timings/count_atoms.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        field="particle",
        code=code("count_atoms.py"),
    script:
        "../src/scripts/count_atoms.py"


rule walk_circuits:
    """Walk a Burgers circuit about the dislocation in every image, raw or restored by a network."""
    input:
        pairs="results/pairs/dislocation/scanned.nc",
        columns="results/structures/dislocation.csv",
        fits=expand(
            "results/columns/{method}/dislocation/{chain}.parquet",
            method=WALKED,
            chain=CHAINS,
        ),
    output:
        table="results/tables/circuits.csv",
        record=record("tables/circuits"),
    log:
        "results/logs/walk_circuits.log",
    benchmark:
        "results/timings/walk_circuits.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        conditions=[(method, chain) for method in WALKED for chain in CHAINS],
        lattice_constant=value("specimens/lattice_constant"),
        code=code("walk_circuits.py"),
    script:
        "../src/scripts/walk_circuits.py"


rule plot_dislocation:
    """Draw Fig. 4."""
    input:
        pairs="results/pairs/dislocation/scanned.nc",
        restored="results/restored/published/dislocation/scanned.nc",
        fits="results/columns/published/dislocation/scanned.parquet",
        columns="results/structures/dislocation.csv",
        circuits=rules.walk_circuits.output.table,
        table=rules.tabulate_accuracy.output.table,
    output:
        png="results/figures/fig04.png",
        pdf="results/figures/fig04.pdf",
        record=record("figures/fig04"),
    log:
        "results/logs/plot_dislocation.log",
    benchmark:
        "results/timings/plot_dislocation.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        chain="scanned",
        code=code("plot_dislocation.py"),
    script:
        "../src/scripts/plot_dislocation.py"


rule plot_particle:
    """Draw Fig. 5."""
    input:
        table=rules.tabulate_accuracy.output.table,
        counts=rules.count_atoms.output.table,
        confusions=rules.count_atoms.output.confusions,
    output:
        png="results/figures/fig05.png",
        pdf="results/figures/fig05.pdf",
        record=record("figures/fig05"),
    log:
        "results/logs/plot_particle.log",
    benchmark:
        "results/timings/plot_particle.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        chain="scanned",
        code=code("plot_particle.py"),
    script:
        "../src/scripts/plot_particle.py"


rule fit_blind:
    """Detect, fit and match columns without knowing where they are, beside fits from the true start."""
    input:
        pairs="results/pairs/{specimen}/scanned.nc",
        truth="results/truth/{specimen}/scanned.parquet",
        images=lambda w: [
            (
                f"results/pairs/{w.specimen}/scanned.nc"
                if method == "raw"
                else f"results/restored/{method}/{w.specimen}/scanned.nc"
            )
            for method in methods(w.specimen)
        ],
        fits=lambda w: [
            f"results/columns/{method}/{w.specimen}/scanned.parquet"
            for method in methods(w.specimen)
        ],
    output:
        table="results/tables/blind_{specimen}.csv",
        record=record("tables/blind_{specimen}"),
    log:
        "results/logs/fit_blind/{specimen}.log",
    benchmark:
        "results/timings/fit_blind/{specimen}.tsv"
    wildcard_constraints:
        specimen="|".join(FIELDS),
    conda:
        "../envs/environment.yaml"
    params:
        methods=lambda w: methods(w.specimen),
        realisations=value("recordings/blind"),
        border=value("columns/border"),
        width=value("columns/width"),
        background=value("columns/background"),
        code=code("fit_blind.py"),
    script:
        "../src/scripts/fit_blind.py"
