rule build_specimen:
    """Build a specimen's atoms and the table of its columns."""
    output:
        structure="results/structures/{specimen}.xyz",
        columns="results/structures/{specimen}.csv",
        record=record("structures/{specimen}"),
    log:
        "results/logs/build_specimen/{specimen}.log",
    benchmark:
        "results/timings/build_specimen/{specimen}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        specimen="{specimen}",
        species=value("specimens/species"),
        lattice_constant=value("specimens/lattice_constant"),
        cells_xy=value("specimens/cells_xy"),
        cells_z=lambda w: max(value(f"specimens/{w.specimen}/thicknesses")),
        displacement=lambda w: value(f"specimens/{w.specimen}/displacement"),
        seed=value("seed"),
        code=code("build_specimen.py"),
    script:
        "../src/scripts/build_specimen.py"
