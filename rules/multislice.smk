rule simulate_haadf:
    """Simulate the HAADF thickness series of one frozen-phonon configuration."""
    input:
        structure="results/structures/{specimen}.xyz",
    output:
        image="results/multislice/{specimen}/{configuration}.nc",
        record=record("multislice/{specimen}/{configuration}"),
    log:
        "results/logs/simulate_haadf/{specimen}/{configuration}.log",
    benchmark:
        "results/timings/simulate_haadf/{specimen}/{configuration}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        specimen="{specimen}",
        configuration=lambda w: int(w.configuration),
        settings=study.unwrap(config["multislice"]),
        lattice_constant=value("specimens/lattice_constant"),
        cells_xy=value("specimens/cells_xy"),
        thicknesses=lambda w: value(f"specimens/{w.specimen}/thicknesses"),
        perfect=lambda w: value(f"specimens/{w.specimen}/displacement") == 0,
        scan_points=lambda w: value(f"specimens/{w.specimen}/scan_points"),
        seed=value("seed"),
        code=code("simulate_haadf.py"),
    script:
        "../src/scripts/simulate_haadf.py"


rule average_configurations:
    """Average a specimen's phonon configurations and broaden by the finite source."""
    input:
        configurations=lambda w: expand(
            "results/multislice/{specimen}/{configuration}.nc",
            specimen=w.specimen,
            configuration=range(
                value(f"specimens/{w.specimen}/phonon_configurations")
            ),
        ),
    output:
        image="results/images/{specimen}.nc",
        record=record("images/{specimen}"),
    log:
        "results/logs/average_configurations/{specimen}.log",
    benchmark:
        "results/timings/average_configurations/{specimen}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        source_hwhm=value("multislice/source_hwhm"),
        perfect=lambda w: value(f"specimens/{w.specimen}/displacement") == 0,
        code=code("average_configurations.py"),
    script:
        "../src/scripts/average_configurations.py"


rule simulate_hrtem:
    """Simulate the HRTEM image of a nanoparticle, on which detector noise is shown."""
    output:
        image="results/images/nanoparticle_hrtem.nc",
        record=record("images/nanoparticle_hrtem"),
    log:
        "results/logs/simulate_hrtem.log",
    benchmark:
        "results/timings/simulate_hrtem.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        settings=study.unwrap(config["hrtem"]),
        species=value("specimens/species"),
        lattice_constant=value("specimens/lattice_constant"),
        phonon_rms=value("multislice/phonon_rms"),
        seed=value("seed"),
        code=code("simulate_hrtem.py"),
    script:
        "../src/scripts/simulate_hrtem.py"
