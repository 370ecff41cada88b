# Fig. 6: real micrographs where there are some offline, simulated ones of the other modalities, restored.


rule read_micrographs:
    """Read crops of the real micrographs in the authors' package, upright and upside down."""
    output:
        images="results/inputs/micrographs.nc",
        record=record("inputs/micrographs"),
    log:
        "results/logs/read_micrographs.log",
    benchmark:
        "results/timings/read_micrographs.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        files=value("micrographs/files"),
        panels=value("micrographs/panels"),
        edge=value("micrographs/edge"),
        code=code("read_micrographs.py"),
    script:
        "../src/scripts/read_micrographs.py"


rule draw_micrograph:
    """Distort the first validation image of a modality that meets the configuration."""
    input:
        images="results/images/{modality}/validation/0.nc",
    output:
        pairs="results/pairs/micrographs/{modality}.nc",
        record=record("pairs/micrographs/{modality}"),
    log:
        "results/logs/draw_micrograph/{modality}.log",
    benchmark:
        "results/timings/draw_micrograph/{modality}.tsv"
    wildcard_constraints:
        modality="|".join(SIMULATED),
    conda:
        "../envs/environment.yaml"
    params:
        modality="{modality}",
        kind=lambda w: value(f"micrographs/simulated/{w.modality}")["kind"],
        pixel_size=lambda w: value(f"micrographs/simulated/{w.modality}")["pixel_size"],
        specimens=1,
        distortions=value("distortions"),
        chain=lambda w: value(f"micrographs/simulated/{w.modality}")["chain"],
        seed=value("seed"),
        code=code("draw_examples.py"),
    script:
        "../src/scripts/draw_examples.py"


rule restore_micrographs:
    """Restore the micrographs of a modality by the published network or by ours."""
    input:
        weights=lambda w: network_weights(w.network, w.modality),
        pairs=lambda w: micrographs(w.modality),
    output:
        restored="results/restored/{network}/micrographs/{modality}.nc",
        record=record("restored/{network}/micrographs/{modality}"),
    log:
        "results/logs/restore_micrographs/{network}/{modality}.log",
    benchmark:
        "results/timings/restore_micrographs/{network}/{modality}.tsv"
    wildcard_constraints:
        network="published|trained",
        modality="|".join(MODALITIES),
    conda:
        "../envs/environment.yaml"
    threads: 2
    params:
        model="{modality}",
        precision=value("restore/published/precision"),
        prior=None,
        realisations="all",
        code=code("restore_images.py"),
    script:
        "../src/scripts/restore_images.py"


rule measure_micrographs:
    """Measure what can be checked of restored micrographs without a truth."""
    input:
        real=rules.read_micrographs.output.images,
        simulated=expand(rules.draw_micrograph.output.pairs, modality=SIMULATED),
        restored=[
            f"results/restored/{network}/micrographs/{modality}.nc"
            for network, modality in RESTORING
        ],
    output:
        table="results/tables/micrographs.csv",
        record=record("tables/micrographs"),
    log:
        "results/logs/measure_micrographs.log",
    benchmark:
        "results/timings/measure_micrographs.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        modalities=[value("micrographs/modality"), *SIMULATED],
        networks=RESTORING,
        code=code("measure_micrographs.py"),
    script:
        "../src/scripts/measure_micrographs.py"


rule plot_micrographs:
    """Fig. 6: micrographs of all modalities, raw and restored."""
    input:
        real=rules.measure_micrographs.input.real,
        simulated=rules.measure_micrographs.input.simulated,
        restored=rules.measure_micrographs.input.restored,
    output:
        png="results/figures/fig06.png",
        pdf="results/figures/fig06.pdf",
        record=record("figures/fig06"),
    log:
        "results/logs/plot_micrographs.log",
    benchmark:
        "results/timings/plot_micrographs.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        modalities=rules.measure_micrographs.params.modalities,
        networks=RESTORING,
        code=code("plot_micrographs.py"),
    script:
        "../src/scripts/plot_micrographs.py"
