rule simulate_library:
    """Simulate the cross sections of columns of 1, 2, ... atoms, for a part of the phonon configurations."""
    output:
        table="results/library/{part}.csv",
        record=record("library/{part}"),
    log:
        "results/logs/simulate_library/{part}.log",
    benchmark:
        "results/timings/simulate_library/{part}.tsv"
    wildcard_constraints:
        part=r"\d+",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        # every 'parts'-th configuration: which belong to a part moves no result
        configurations=lambda w: list(
            range(
                int(w.part),
                value("library/phonon_configurations"),
                value("library/parts"),
            )
        ),
        atoms=value("library/atoms"),
        scan_points=value("library/scan_points"),
        settings=study.unwrap(config["multislice"]),
        species=value("specimens/species"),
        lattice_constant=value("specimens/lattice_constant"),
        cells_xy=value("specimens/cells_xy"),
        seed=value("seed"),
        code=code("simulate_library.py"),
    script:
        "../src/scripts/simulate_library.py"


rule tabulate_library:
    """Average the library's phonon configurations: what columns are counted by."""
    input:
        parts=expand(
            "results/library/{part}.csv",
            part=range(value("library/parts")),
        ),
    output:
        table="results/tables/library.csv",
        record=record("tables/library"),
    log:
        "results/logs/tabulate_library.log",
    benchmark:
        "results/timings/tabulate_library.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("tabulate_library.py"),
    script:
        "../src/scripts/tabulate_library.py"
