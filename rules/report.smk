rule collect_numbers:
    """Collect every number that the report's prose or a claim quotes."""
    input:
        fig03="results/tables/fig03.csv",
        displaced="results/tables/displaced.csv",
        image_errors="results/tables/image_errors.csv",
        networks="results/tables/networks.csv",
        distortions="results/tables/distortions.csv",
        generator="results/tables/generator.csv",
        draws="results/tables/generator_draws.csv",
        realism="results/tables/realism.csv",
        powers="results/tables/realism_powers.csv",
    output:
        numbers="results/numbers.json",
        record=record("numbers"),
    log:
        "results/logs/collect_numbers.log",
    benchmark:
        "results/timings/collect_numbers.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        code=code("collect_numbers.py"),
    script:
        "../src/scripts/collect_numbers.py"


rule evaluate_claims:
    """Hold each claim of the papers against what was measured."""
    input:
        claims="config/claims.tsv",
        numbers="results/numbers.json",
    output:
        verdicts="results/claims.csv",
        record=record("claims"),
    log:
        "results/logs/evaluate_claims.log",
    benchmark:
        "results/timings/evaluate_claims.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        rules={
            "tables/fig03.csv": "tabulate_precision",
            "tables/image_errors.csv": "score_images",
            "tables/networks.csv": "tabulate_networks",
        },
        code=code("evaluate_claims.py"),
    script:
        "../src/scripts/evaluate_claims.py"


rule render_report:
    """Write the report: what was asked, how it was done, what was measured, what became of each claim."""
    input:
        template="report/report.typ",
        formats="report/format.typ",
        numbers="results/numbers.json",
        verdicts="results/claims.csv",
        fig03="results/tables/fig03.csv",
        displaced="results/tables/displaced.csv",
        cross_sections="results/tables/cross_sections.csv",
        figures=[
            "results/figures/fig03.png",
            "results/figures/fig03_bias.png",
            "results/figures/fig03_displaced.png",
            "results/figures/distortions.png",
            "results/figures/clean_hrstem.png",
            "results/figures/clean_lrstem.png",
            "results/figures/generator.png",
            "results/figures/fig11.png",
            "results/figures/realism.png",
            *expand("results/figures/{figure}.png", figure=GALLERIES),
        ],
        pdfs=[
            "results/figures/fig03.pdf",
            "results/figures/fig03_bias.pdf",
            "results/figures/fig03_displaced.pdf",
            "results/figures/distortions.pdf",
            "results/figures/clean_hrstem.pdf",
            "results/figures/clean_lrstem.pdf",
            "results/figures/generator.pdf",
            "results/figures/fig11.pdf",
            "results/figures/realism.pdf",
            *expand("results/figures/{figure}.pdf", figure=GALLERIES),
        ],
        records=[
            record("tables/fig03"),
            record("tables/displaced"),
            record("claims"),
        ],
    output:
        html="results/report/report.html",
        pdf="results/report/report.pdf",
        record=record("report"),
    log:
        "results/logs/render_report.log",
    benchmark:
        "results/timings/render_report.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        name=value("name"),
        settings=list(study.leaves(config)),
        code=code("render_report.py"),
    script:
        "../src/scripts/render_report.py"
