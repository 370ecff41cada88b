rule draw_pairs:
    """Sample a clean image at one pixel size and draw its recordings at all doses."""
    input:
        image="results/images/{specimen}.nc",
        columns="results/structures/{specimen}.csv",
    output:
        pairs="results/pairs/{specimen}/{sampling}.nc",
        record=record("pairs/{specimen}/{sampling}"),
    log:
        "results/logs/draw_pairs/{specimen}/{sampling}.log",
    benchmark:
        "results/timings/draw_pairs/{specimen}/{sampling}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        specimen="{specimen}",
        sampling="{sampling}",
        pixel_size=lambda w: value(f"samplings/{w.sampling}/pixel_size"),
        shape=lambda w: value(f"samplings/{w.sampling}/shape"),
        doses=value("pairs/doses"),
        realisations=value("pairs/realisations"),
        distortions=study.unwrap(config["distortions"]),
        chain=value("pairs/distortions"),
        seed=value("seed"),
        code=code("draw_pairs.py"),
    script:
        "../src/scripts/draw_pairs.py"
