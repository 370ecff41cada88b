# what the report shows
FIGURES = [
    "fig01",
    "fig02",
    "fig09",
    "fig10",
    "network_compact",
    "benchmarks",
    "fig03",
    "fig03_bias",
    "fig03_displaced",
    "fig04",
    "fig05",
    "fig06",
    "fig11",
    *GALLERIES,
    "distortions",
    "clean_hrstem",
    "clean_lrstem",
    "clean_columns",
    "generator",
    "realism",
    "audit_bounds",
    "audit_averaging",
    "audit_features",
    "audit_departures",
    "audit_confidence",
    *(["fig07"] if COMPARED else []),
    *(["priors"] if TOLD else []),
    *(["versus"] if BESIDE else []),
]
COMPARISON_TABLES = [
    "results/tables/fig07_changes.csv",
    "results/tables/resolutions.csv",
    "results/tables/annotations.csv",
]


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
        realistic="results/tables/realistic.csv",
        counts="results/tables/counts.csv",
        circuits="results/tables/circuits.csv",
        library="results/tables/library.csv",
        cross_sections="results/tables/cross_sections.csv",
        blind=expand("results/tables/blind_{specimen}.csv", specimen=RECORDED),
        bounds="results/tables/audit_bounds.csv",
        averaging="results/tables/audit_averaging.csv",
        resolution="results/tables/audit_resolution.csv",
        confidence="results/tables/audit_confidence.csv",
        survival="results/tables/audit_features.csv",
        invented="results/tables/audit_phantoms.csv",
        departures="results/tables/audit_departures.csv",
        examples="results/tables/fig02.csv",
        micrographs="results/tables/micrographs.csv",
        experiments=f"{value('experiments/folder')}/scores.csv",
        benchmarks="results/tables/benchmark_summary.csv",
        costs="results/tables/benchmark_costs.csv",
        priors=["results/tables/priors.csv"] if TOLD else [],
        comparisons=(
            [
                f"{KEPT}/distortions.csv",
                f"{KEPT}/resolution.csv",
                *COMPARISON_TABLES,
            ]
            if COMPARED
            else []
        ),
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
        # of 1/2 [1-10]
        burgers=value("specimens/lattice_constant") / 2**0.5,
        right=value("experiments/chain"),
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
            "tables/experiments.csv": "tabulate_experiments",
            "tables/fig02.csv": "score_examples",
            "tables/fig07_changes.csv": "tabulate_comparisons",
            "tables/resolutions.csv": "tabulate_comparisons",
            "tables/annotations.csv": "tabulate_comparisons",
            "tables/realism_powers.csv": "tabulate_realism",
            "tables/library.csv": "tabulate_library",
            "tables/blind_dislocation.csv": "fit_blind",
            "tables/circuits.csv": "walk_circuits",
            "tables/realistic.csv": "tabulate_accuracy",
            "tables/counts.csv": "count_atoms",
            "tables/audit_departures.csv": "audit_departures",
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
        tables=[
            *expand(
                "results/tables/{table}.csv",
                table=[
                    "fig03",
                    "displaced",
                    "cross_sections",
                    "realistic",
                    "experiments",
                    "ablation",
                    "benchmark_summary",
                    "micrographs",
                ],
            ),
            f"{value('experiments/folder')}/runs.csv",
            *([*COMPARISON_TABLES, f"{KEPT}/comparison_runs.csv"] if COMPARED else []),
            *(["results/tables/versus_summary.csv"] if BESIDE else []),
            *(["results/tables/models.csv"] if KEPT_MODELS else []),
        ],
        figures=expand("results/figures/{figure}.png", figure=FIGURES),
        pdfs=expand("results/figures/{figure}.pdf", figure=FIGURES),
        job=record("claims"),
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
