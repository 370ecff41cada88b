

wildcard_constraints:
    field="dislocation|particle|features",


# the source's tails that are scanned beyond the image; four standard deviations leave 6e-5
SOURCE_REACH = 4 * value("multislice/source_hwhm") / 1.1774


rule build_realistic:
    """Build the atoms of a specimen that is not periodic and the table of its columns."""
    output:
        structure="results/structures/{field}.xyz",
        columns="results/structures/{field}.csv",
        record=record("structures/{field}"),
    log:
        "results/logs/build_realistic/{field}.log",
    benchmark:
        "results/timings/build_realistic/{field}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        field="{field}",
        species=value("specimens/species"),
        lattice_constant=value("specimens/lattice_constant"),
        width=lambda w: value(f"realistic/{w.field}/width"),
        settings=lambda w: study.unwrap(config["realistic"][w.field]),
        code=code("build_realistic.py"),
    script:
        "../src/scripts/build_realistic.py"


rule simulate_field:
    """Simulate the HAADF image of one frozen-phonon configuration, patch by patch."""
    input:
        structure="results/structures/{field}.xyz",
    output:
        image="results/multislice/{field}/{configuration}.nc",
        record=record("multislice/{field}/{configuration}"),
    log:
        "results/logs/simulate_field/{field}/{configuration}.log",
    benchmark:
        "results/timings/simulate_field/{field}/{configuration}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        field="{field}",
        configuration=lambda w: int(w.configuration),
        multislice=study.unwrap(config["multislice"]),
        # that of the library, whose cross sections the counts are read from
        sampling=value("specimens/lattice_constant")
        * value("specimens/cells_xy")
        / value("multislice/gpts"),
        lattice_constant=value("specimens/lattice_constant"),
        window_gpts=value("realistic/window_gpts"),
        patch_points=value("realistic/patch_points"),
        extent=lambda w: value(f"realistic/{w.field}/extent") + 2 * SOURCE_REACH,
        scan_step=lambda w: value(f"realistic/{w.field}/scan_step"),
        symmetric=lambda w: w.field == "particle",
        embedded=lambda w: w.field == "dislocation",
        overlap=value("specimens/lattice_constant") / 4,
        seed=value("seed"),
        code=code("simulate_field.py"),
    script:
        "../src/scripts/simulate_field.py"


rule assemble_field:
    """Complete by symmetry, average over phonons, broaden by the source and sample at the pixels."""
    input:
        configurations=lambda w: expand(
            "results/multislice/{field}/{configuration}.nc",
            field=w.field,
            configuration=range(value(f"realistic/{w.field}/phonon_configurations")),
        ),
    output:
        image="results/images/{field}.nc",
        record=record("images/{field}"),
    log:
        "results/logs/assemble_field/{field}.log",
    benchmark:
        "results/timings/assemble_field/{field}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        extent=lambda w: value(f"realistic/{w.field}/extent"),
        pixel_size=value("realistic/pixel_size"),
        source_hwhm=value("multislice/source_hwhm"),
        symmetric=lambda w: w.field == "particle",
        code=code("assemble_field.py"),
    script:
        "../src/scripts/assemble_field.py"
