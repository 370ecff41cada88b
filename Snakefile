# An index: where values come from, which rules there are, what can be asked for.
from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/structures.smk"
include: "rules/multislice.smk"
include: "rules/images.smk"
include: "rules/generator.smk"
include: "rules/realism.smk"
include: "rules/training.smk"
include: "rules/comparisons.smk"
include: "rules/priors.smk"
include: "rules/distortions.smk"
include: "rules/library.smk"
include: "rules/realistic.smk"
include: "rules/recordings.smk"
include: "rules/restore.smk"
include: "rules/columns.smk"
include: "rules/audit.smk"
include: "rules/audit_bounds.smk"
include: "rules/audit_averaging.smk"
include: "rules/audit_confidence.smk"
include: "rules/score.smk"
include: "rules/versus.smk"
include: "rules/restorations.smk"
include: "rules/benchmarks.smk"
include: "rules/cards.smk"
include: "rules/micrographs.smk"
include: "rules/architecture.smk"
include: "rules/figures.smk"
include: "rules/gallery.smk"
include: "rules/report.smk"


# Snakemake's limit of a hundred jobs a second (9.27.1 and before) leaves a timer behind with every job that ends, each
# of which wakes the scheduler once a second from then on: after some hundred jobs it occupies a core. No job of ours on
# this machine is so short; on a cluster profiles/slurm sets a slower clock.
onstart:
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


localrules:
    all,
    figures,
    tables,
    clean_shards,
    models,
    cards,
    experiments,


rule all:
    """Everything: tables, figures, the claims and the report."""
    default_target: True
    input:
        rules.render_report.output,
        rules.evaluate_claims.output,


rule figures:
    """All figures."""
    input:
        expand("results/figures/{figure}.{kind}", figure=FIGURES, kind=["png", "pdf"]),


rule tables:
    """All tables."""
    input:
        rules.tabulate_precision.output,
        rules.tabulate_displacements.output,
        rules.tabulate_cross_sections.output,
        rules.tabulate_networks.output,
        rules.tabulate_experiments.output,
        rules.tabulate_comparisons.output if COMPARED else [],
        rules.measure_distortions.output,
        rules.survey_clean.output,
        rules.tabulate_realism.output,
        rules.score_images.output,
        rules.tabulate_library.output,
        rules.tabulate_accuracy.output,
        rules.count_atoms.output,
        rules.walk_circuits.output,
        expand(rules.fit_blind.output, specimen=RECORDED),
        rules.score_examples.output,
        rules.tabulate_benchmarks.output,
        rules.measure_costs.output,
        rules.measure_micrographs.output,
        rules.measure_priors.output if TOLD else [],
        rules.audit_bounds.output,
        rules.audit_averaging.output,
        rules.audit_features.output,
        rules.audit_departures.output,
        rules.compare_networks.output if BESIDE else [],
        rules.tabulate_models.output if KEPT_MODELS else [],
        rules.audit_confidence.output,


rule clean_shards:
    """All shards of clean images, for training and validation, of all modalities."""
    input:
        shards(MODALITIES, SPLITS),


rule models:
    """Train the networks that ship anew, and those that they begin with, and keep them in models/."""
    input:
        expand(rules.keep_model.output, network=with_starts(MODALITIES)),


rule cards:
    """Write the cards of the networks in models/ beside them."""
    input:
        expand(rules.keep_card.output, modality=SHIPPED),


rule experiments:
    """Train and score all networks of Figs 1 and 7, Table 1 and the loss ablation, and keep the results in models/."""
    input:
        rules.keep_experiments.output,
        rules.keep_comparisons.output,
