rule view_crystal:
    """Make the clean image of a view: a crystal, alone or with what networks were not trained on."""
    input:
        crystal=lambda w: f"results/images/{value(f'audit/views/{w.view}/specimen')}.nc",
        sites=lambda w: f"results/structures/{value(f'audit/views/{w.view}/specimen')}.csv",
        library="results/tables/library.csv",
    output:
        image="results/views/{view}.nc",
        columns="results/views/{view}.csv",
        record=record("views/{view}"),
    log:
        "results/logs/view_crystal/{view}.log",
    benchmark:
        "results/timings/view_crystal/{view}.tsv"
    wildcard_constraints:
        view="|".join(VIEWS),
    conda:
        "../envs/environment.yaml"
    params:
        view="{view}",
        thickness=value("audit/thickness"),
        layers=lambda w: value(f"audit/views/{w.view}/layers"),
        pixel_size=lambda w: value(f"audit/views/{w.view}/pixel_size"),
        shape=lambda w: value(f"audit/views/{w.view}/shape"),
        rotation=lambda w: view_setting(w.view, "rotation", 0),
        film_thickness=lambda w: view_setting(w.view, "film_thickness", [0, 0]),
        film=value("audit/film"),
        species=value("specimens/species"),
        seed=value("seed"),
        code=code("view_crystal.py"),
    script:
        "../src/scripts/view_crystal.py"


rule audit_features:
    """Tabulate which features survive restoration, and how many columns it invents."""
    input:
        scores="results/scores/realistic.parquet",
        columns="results/structures/features.csv",
        library="results/tables/library.csv",
        truth="results/truth/features/poisson.parquet",
        pairs=recorded("results/pairs/{specimen}/{sampling}.nc", WITH_VACUUM),
        restored=recorded(
            "results/restored/{method}/{specimen}/{sampling}.nc", WITH_VACUUM
        ),
    output:
        survival="results/tables/audit_features.csv",
        invented="results/tables/audit_phantoms.csv",
        record=record("tables/audit_features"),
    log:
        "results/logs/audit_features.log",
    benchmark:
        "results/timings/audit_features.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        field="features",
        conditions=conditions(WITH_VACUUM),
        code=code("audit_features.py"),
    script:
        "../src/scripts/audit_features.py"


rule audit_departures:
    """Tabulate what methods do to images unlike those that networks were trained on, and to displaced columns."""
    input:
        scores="results/scores/realistic.parquet",
        pairs=recorded("results/pairs/{specimen}/{sampling}.nc", FIELDS),
        restored=recorded("results/restored/{method}/{specimen}/{sampling}.nc", FIELDS),
        columns="results/structures/dislocation.csv",
    output:
        table="results/tables/audit_departures.csv",
        record=record("tables/audit_departures"),
    log:
        "results/logs/audit_departures.log",
    benchmark:
        "results/timings/audit_departures.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        conditions=conditions(FIELDS),
        disordered=[name for name in FIELDS if name.startswith("disordered")],
        core="dislocation",
        code=code("audit_departures.py"),
    script:
        "../src/scripts/audit_departures.py"


rule plot_features:
    """Draw what restoration erases and invents."""
    input:
        pairs="results/pairs/features/poisson.nc",
        restored=[
            f"results/restored/{method}/features/poisson.nc"
            for method in methods("features")[1:]
        ],
        columns="results/structures/features.csv",
        survival=rules.audit_features.output.survival,
        invented=rules.audit_features.output.invented,
    output:
        png="results/figures/audit_features.png",
        pdf="results/figures/audit_features.pdf",
        record=record("figures/audit_features"),
    log:
        "results/logs/plot_features.log",
    benchmark:
        "results/timings/plot_features.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        chain="poisson",
        methods=methods("features")[1:],
        code=code("plot_features.py"),
    script:
        "../src/scripts/plot_features.py"


rule plot_departures:
    """Draw what restoration does to images unlike those that networks were trained on."""
    input:
        pairs=expand("results/pairs/{specimen}/poisson.nc", specimen=UNLIKE),
        restored=expand(
            "results/restored/published/{specimen}/poisson.nc", specimen=UNLIKE
        ),
        table=rules.audit_departures.output.table,
    output:
        png="results/figures/audit_departures.png",
        pdf="results/figures/audit_departures.pdf",
        record=record("figures/audit_departures"),
    log:
        "results/logs/plot_departures.log",
    benchmark:
        "results/timings/plot_departures.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        specimens=UNLIKE,
        code=code("plot_departures.py"),
    script:
        "../src/scripts/plot_departures.py"
