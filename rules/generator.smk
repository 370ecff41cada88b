# Clean images of random specimens for training: shards by address, and what they are drawn from.


rule draw_clean:
    """Make one shard of clean images from its address: seed, modality, split, number."""
    output:
        images="results/images/{modality}/{split}/{number}.nc",
        record=record("images/{modality}/{split}/{number}"),
    log:
        "results/logs/draw_clean/{modality}/{split}/{number}.log",
    benchmark:
        "results/timings/draw_clean/{modality}/{split}/{number}.tsv"
    wildcard_constraints:
        modality="|".join(MODALITIES),
        split="|".join(SPLITS),
        number=r"\d+",
    conda:
        "../envs/environment.yaml"
    params:
        modality="{modality}",
        split="{split}",
        number=lambda w: int(w.number),
        size=value("generator/shards/images"),
        generator=GENERATOR,
        seed=value("seed"),
        code=code("draw_clean.py"),
    script:
        "../src/scripts/draw_clean.py"


use rule draw_clean as draw_disordered with:
    output:
        images="results/disordered/{modality}/{split}/{number}.nc",
        record=record("disordered/{modality}/{split}/{number}"),
    log:
        "results/logs/draw_disordered/{modality}/{split}/{number}.log",
    benchmark:
        "results/timings/draw_disordered/{modality}/{split}/{number}.tsv"
    params:
        modality="{modality}",
        split="{split}",
        number=lambda w: int(w.number),
        size=value("generator/shards/images"),
        generator=DISORDERED,
        seed=value("seed"),
        code=code("draw_clean.py"),


use rule draw_clean as draw_columns with:
    output:
        images="results/disordered/columns/{split}/{number}.nc",
        record=record("disordered/columns/{split}/{number}"),
    log:
        "results/logs/draw_disordered/columns/{split}/{number}.log",
    benchmark:
        "results/timings/draw_disordered/columns/{split}/{number}.tsv"
    params:
        modality="hrstem",
        split="{split}",
        number=lambda w: int(w.number),
        size=value("generator/shards/images"),
        generator=COLUMNS,
        seed=value("seed"),
        code=code("draw_clean.py"),


rule survey_clean:
    """Hold what was drawn for the validation images against its ranges, and measure their spectra."""
    input:
        shards=shards(MODALITIES, ["validation"]),
    output:
        draws="results/tables/generator_draws.csv",
        table="results/tables/generator.csv",
        spectra="results/tables/generator_spectra.csv",
        record=record("tables/generator"),
    log:
        "results/logs/survey_clean.log",
    benchmark:
        "results/timings/survey_clean.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        ranges=SURVEYED,
        code=code("survey_clean.py"),
    script:
        "../src/scripts/survey_clean.py"


rule plot_generator:
    """Draw what was drawn beside its ranges, and radial spectra."""
    input:
        draws=rules.survey_clean.output.draws,
        spectra=rules.survey_clean.output.spectra,
    output:
        png="results/figures/generator.png",
        pdf="results/figures/generator.pdf",
        record=record("figures/generator"),
    log:
        "results/logs/plot_generator.log",
    benchmark:
        "results/timings/plot_generator.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        ranges=SURVEYED,
        code=code("plot_generator.py"),
    script:
        "../src/scripts/plot_generator.py"


rule plot_clean:
    """Draw the first 64 clean images of a modality with their recipes."""
    input:
        shard_file="results/images/{modality}/validation/0.nc",
    output:
        png="results/figures/clean_{modality}.png",
        pdf="results/figures/clean_{modality}.pdf",
        record=record("figures/clean_{modality}"),
    log:
        "results/logs/plot_clean/{modality}.log",
    benchmark:
        "results/timings/plot_clean/{modality}.tsv"
    wildcard_constraints:
        modality="|".join(MODALITIES),
    conda:
        "../envs/environment.yaml"
    params:
        code=code("plot_clean.py"),
    script:
        "../src/scripts/plot_clean.py"


use rule plot_clean as plot_columns with:
    input:
        shard_file="results/disordered/columns/validation/0.nc",
    output:
        png="results/figures/clean_columns.png",
        pdf="results/figures/clean_columns.pdf",
        record=record("figures/clean_columns"),
    log:
        "results/logs/plot_clean/columns.log",
    benchmark:
        "results/timings/plot_clean/columns.tsv"


rule whiten_nanoparticle:
    """Make the image of a particle on carbon and its whitening transforms."""
    output:
        image="results/gallery/whitening.nc",
        record=record("gallery/whitening"),
    log:
        "results/logs/whiten_nanoparticle.log",
    benchmark:
        "results/timings/whiten_nanoparticle.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        settings=value("whitening"),
        species=value("specimens/species"),
        lattice_constant=value("specimens/lattice_constant"),
        ranges=value("generator/profiles"),
        seed=value("seed"),
        code=code("whiten_nanoparticle.py"),
    script:
        "../src/scripts/whiten_nanoparticle.py"


rule plot_whitening:
    """Draw Fig. 11."""
    input:
        image=rules.whiten_nanoparticle.output.image,
    output:
        png="results/figures/fig11.png",
        pdf="results/figures/fig11.pdf",
        record=record("figures/fig11"),
    log:
        "results/logs/plot_whitening.log",
    benchmark:
        "results/timings/plot_whitening.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("plot_whitening.py"),
    script:
        "../src/scripts/plot_whitening.py"
