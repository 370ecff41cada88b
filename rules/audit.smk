rule view_crystal:
    """Make the clean image of a view: a crystal, alone or with what networks were not trained on."""
    input:
        crystal=lambda w: f"results/images/{value(f'audit/views/{w.view}/specimen')}.nc",
        sites=lambda w: f"results/structures/{value(f'audit/views/{w.view}/specimen')}.csv",
        library="results/tables/library.csv",
    output:
        image="results/images/{view}.nc",
        columns="results/structures/{view}.csv",
        record=record("images/{view}"),
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
