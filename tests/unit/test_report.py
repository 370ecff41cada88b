"""The report, from synthetic tables through the real numbers, ledger, configuration and template."""

import html
import itertools
import json
import re
import time
from pathlib import Path

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
import study_tables
import typst
import yaml
from study_tables import with_interval

from emrestore import config
from emrestore import numbers as reduce
from emrestore.benchmarks import summary
from emrestore.claims import evaluate
from emrestore.errors import EmrestoreError
from emrestore.report import render
from emrestore.train.report import ablation_table, annotation_table, change_table, network_table, resolution_table

ROOT = Path(__file__).parents[2]
DOSES, SAMPLINGS, THICKNESSES = (500, 50000), ("fine", "coarse"), (2, 8, 25, 75)
#: scatter and RMSE over the bound at the low dose; at the high dose all is level with the bound
LOW_DOSE = {"raw_ls": (1.3, 1.3), "raw_ml": (1.0, 1.0), "published_ls": (0.6, 1.7)}
OURS = {"trained_ls": (0.6, 1.7), "honest_ls": (1.0, 1.1)}


def measured(sampling, thickness, dose, method, quantity, low_dose):
    bound = {"position": 60.0, "scs": 30.0}[quantity] / np.sqrt(dose * thickness) * (1.2 if sampling == "coarse" else 1)
    std, rmse = low_dose[method] if dose == DOSES[0] else (1.0, 1.0)
    row = {"sampling": sampling, "thickness": thickness, "dose": dose, "method": method, "quantity": quantity}
    row |= with_interval("std", std * bound) | with_interval("rmse", rmse * bound)
    return row | {"bias_rms": max(rmse**2 - std**2, 0) ** 0.5 * bound, "crlb": bound}


def comparisons():
    """Rows of the table of distortions: random ones of two effects, exact ones of a third."""
    chance = {"statistic": "variance", "theory": 1.0, "measured": 1.01, "random": True}
    certain = {"statistic": "displacement along x [px]", "theory": 0.2, "measured": 0.19, "random": False}
    rows = [{"effect": name, "residual": size} | chance for name in ("shot", "thermal") for size in (-1.0, 0.5, 2.0)]
    return pd.DataFrame([*rows, {"effect": "resampling", "residual": 0.5} | certain])


def surveyed():
    """Tables of the survey of clean images: one quantity tested, one selected, two images."""
    table = pd.DataFrame({"quantity": ["a", "b"], "p_value": [0.3, np.nan], "selected": [False, True]})
    draws = pd.DataFrame({"image": [0, 1], "quantity": "drawn again", "value": [2, 0]})
    return table, draws


def compared():
    """Tables of the comparison with multislice: two crystals at two thicknesses."""
    rows = itertools.product(("Pt", "MgO"), (1, 5))
    table = pd.DataFrame([{"crystal": crystal, "nominal": nominal} for crystal, nominal in rows])
    table["kinds"] = [1, 1, 2, 2]
    table["hidden"] = [None, None, None, "O"]
    for place, name in enumerate(("scaled_correlation", "best_correlation", "power_correlation", "sorted_correlation")):
        table[name] = 0.99 - 0.05 * place
    for name in ("scaled_factor", "linearity", "ratio", "power_ratio", "sorted_ratio"):
        table[name] = 0.5
    return table, pd.DataFrame({"nominal": [1, 5], "power": 1.9, "power_se": 0.05})


def make_context(folder, low_dose=LOW_DOSE, slope=0.5):
    """Context of a study in which restoration gains scatter at the low dose and pays for it with bias."""
    low_dose = low_dose | OURS
    conditions = list(itertools.product(SAMPLINGS, THICKNESSES, DOSES, LOW_DOSE | OURS))
    fig03 = pd.DataFrame([measured(*row, q, low_dose) for row in conditions for q in ("position", "scs")])
    displaced = pd.DataFrame(
        {"specimen": specimen, "displacement": 10.0}
        | measured(*row, "position", low_dose)
        | with_interval("slope_x", slope if row[3] == "published_ls" and row[2] == DOSES[0] else 1.0)
        | with_interval("slope_y", slope if row[3] == "published_ls" and row[2] == DOSES[0] else 1.0)
        for specimen in ("displaced_small", "displaced_large")
        for row in conditions
    )
    parameters = {"cgrdn": 7_035_521, "grdn": 7_019_073, "mrunet": 53_000_000, "compact": 2_700_000}
    networks = pd.DataFrame(parameters.items(), columns=["network", "parameters"])
    networks.loc[len(networks), ["network", "parameters", "edge", "field"]] = ["discriminator", 2_764_481, 32, 70]
    ledger = pd.read_csv(ROOT / "config/claims.tsv", sep="\t", dtype=str, keep_default_na=False)
    cross_sections = pd.DataFrame(
        {"thickness": THICKNESSES, "cell_scs": 0.01, "cell_scs_se": 1e-4, "fit_scs_ls_fine": 0.01}
    )
    trained, benchmarks = study_tables.experiments(), summary(study_tables.benchmarks())
    judged = study_tables.distortions_learned()
    learned = {
        "fig07_changes": change_table(judged, "stem", study_tables.SHOWS),
        "resolutions": resolution_table(study_tables.resolutions()),
        "annotations": annotation_table(study_tables.annotations()),
    }
    realistic, departures = study_tables.realistic(), study_tables.departures()
    numbers = (
        reduce.fig03_numbers(fig03)
        | reduce.displaced_numbers(displaced)
        | reduce.image_numbers(study_tables.image_errors())
        | reduce.network_numbers(networks)
        | reduce.distortion_numbers(comparisons())
        | reduce.generator_numbers(*surveyed())
        | reduce.realism_numbers(*compared())
        | reduce.realistic_numbers(realistic, departures)
        | reduce.count_numbers(study_tables.counts())
        | reduce.circuit_numbers(study_tables.circuits(), 2.0)
        | reduce.library_numbers(study_tables.library(), cross_sections)
        | reduce.blind_numbers("dislocation", study_tables.blind())
        | reduce.blind_numbers("particle", study_tables.blind())
        | reduce.bound_numbers(study_tables.bounds())
        | reduce.averaging_numbers(study_tables.averaging(), study_tables.resolution())
        | reduce.confidence_numbers(study_tables.confidence())
        | reduce.feature_numbers(*study_tables.features())
        | reduce.prior_numbers(study_tables.priors())
        | reduce.departure_numbers(departures)
        | reduce.example_numbers(study_tables.examples())
        | reduce.micrograph_numbers(study_tables.micrographs())
        | reduce.experiment_numbers(trained)
        | reduce.benchmark_numbers(benchmarks, study_tables.costs())
        | reduce.comparison_numbers(judged, study_tables.resolutions(), *learned.values(), "stem")
    )
    rules = dict.fromkeys(ledger["table"], "tabulate")
    pictures = {}
    source = (ROOT / "report/report.typ").read_text(encoding="utf-8")
    for name in re.findall(r'picture\("(\w+)"', source):
        pictures[name] = {kind: folder / f"{name}.{kind}" for kind in ("png", "pdf")}
        for path in pictures[name].values():
            matplotlib.figure.Figure(figsize=(0.1, 0.1)).savefig(path)
    leaves = list(config.leaves(yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))))
    tables = {"fig03": fig03, "displaced": displaced, "cross_sections": cross_sections, "realistic": realistic}
    tables |= {"experiments": network_table(trained), "ablation": ablation_table(trained, "compact")}
    tables |= {"runs": study_tables.runs(), "benchmark_summary": benchmarks, "micrographs": study_tables.micrographs()}
    tables |= learned | {"comparison_runs": study_tables.runs(), "versus_summary": study_tables.versus_summary()}
    tables |= {"models": study_tables.models()}
    return {
        "config": {
            "name": "default",
            "settings": leaves,
            "assumptions": [leaf for leaf in leaves if leaf["source"].startswith("assumed")],
        },
        "numbers": numbers,
        "claims": evaluate(ledger, numbers, rules).astype(str).to_dict("records"),
        "tables": {name: table.to_dict("records") for name, table in tables.items()},
        "figures": pictures,
        "provenance": {
            "commit": "0123456789abcdef" * 2, "dirty": False, "lock": "f" * 64, "python": "3.11.2",
            "versions": {"torch": "2.13.0", "numpy": "2.4.0"}, "started": "2024-05-01T12:00:00+00:00",
            "commits": {"0123456789abcdef" * 2: 40, "fedcba9876543210" * 2 + " with changes": 1},
        },
    }  # fmt: skip


@pytest.fixture
def context(tmp_path):
    return make_context(tmp_path)


def written(folder, context, template=ROOT / "report"):
    """Page and PDF of a context."""
    folder.mkdir(exist_ok=True)
    render(template, context, folder / "page", folder / "print")
    return (folder / "page").read_text(encoding="utf-8"), (folder / "print").read_bytes()


def words(page):
    """Text of a page, without markup, on one line."""
    body = html.unescape(re.sub(r"<[^>]+>", " ", page[page.index("<body>") :]))
    return re.sub(r"\s+([,.;:)])", r"\1", re.sub(r"\s+", " ", body)).replace("( ", "(")


def test_page_holds_everything_itself_and_equal_contexts_give_equal_files(context, tmp_path):
    page, printed = written(tmp_path, context)
    assert page.count("data:image/png;base64,") == len(context["figures"])
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page)
    assert "url(" not in page
    assert "@import" not in page
    assert printed.startswith(b"%PDF")
    time.sleep(1.1)  # times in a PDF are in seconds
    assert written(tmp_path, context) == (page, printed)


def test_prose_follows_the_numbers(context, tmp_path):
    text = words(written(tmp_path, context)[0])
    assert "restored positions scatter less than raw ones, by a factor of 2.17" in text  # 1.3 / 0.6
    assert "small scatter is bought with bias" in text
    assert "keeps only part of a displacement (slope 0.50" in text
    assert "scatter of restored positions is no measure of their error" in text
    opposite = {"raw_ls": (1.0, 1.0), "raw_ml": (1.0, 1.0), "published_ls": (1.5, 1.5)}
    text = words(written(tmp_path, make_context(tmp_path, opposite, slope=1.0))[0])
    assert "restored positions scatter more than raw ones" in text
    for absent in ("scatter less than raw", "bought with bias", "keeps only part", "is no measure of their error"):
        assert absent not in text


def test_prose_of_the_audit_follows_the_numbers(context, tmp_path):
    text = words(written(tmp_path, context)[0])
    assert "That restoration overcomes the Cramér-Rao bound is true of scatter and not of error" in text
    assert "the network is no better than its bias allows" in text  # 0.5 over 0.4 of the bound
    assert "At low dose a restored position is an average over the neighbourhood" in text
    assert "At displacements of 20 pm it is 3.00" in text.replace("\u202f", " ")  # not 30 pm, where bounds are given
    assert "the correlation of two restored images never falls below 1/7" in text
    assert "agree with each other better than with the truth" in text
    assert "this confidence is not calibrated, and no statement of this report rests on it" in text
    assert "distortions are undone at the core" in text  # the gain is twice that with shot noise alone
    assert "can be walked in 0 of 3 restored images" in text
    numbers = context["numbers"]
    bounds = study_tables.bounds(std=1.2)
    other = (bounds["method"] == "published_ls") & bounds["quantity"].isin(["own", "neighbours"])
    bounds.loc[other, ["value", "low", "high"]] = 0.5
    numbers |= reduce.bound_numbers(bounds)
    numbers |= reduce.averaging_numbers(study_tables.averaging(), study_tables.resolution(pair=1.4, truth=1.5))
    numbers |= reduce.confidence_numbers(study_tables.confidence("calibrated"))
    numbers["dislocation.distortions_gain"] |= {"value": 1.0, "ci_low": 0.9, "ci_high": 1.1}
    text = words(written(tmp_path, context)[0])
    assert "scatter below the Cramér-Rao bound with errors above it was not found" in text
    assert "two restored images first falls below 1/7 at 1.40 Å⁻¹" in text.replace("\u202f", " ")
    assert "For restored images this confidence is calibrated" in text
    assert "nothing here shows that distortions are undone" in text
    for absent in (
        "is true of scatter",
        "an average over the neighbourhood",
        "agree with each other better",
        "no statement of this report",
    ):
        assert absent not in text


def test_benchmarks_name_ours_where_there_are_any_and_what_was_left_out(context, tmp_path):
    text = words(written(tmp_path, context)[0]).replace("\u202f", " ")
    assert "1 pair, of lrsem, is left out" in text
    assert "On our pairs, the published networks are better in 2 and worse in 0 of 2 modalities" in text
    assert "BM3D is better in 0 and worse in 1 of 1 than the published ones" in text
    assert "Ours are better in 2 and worse in 0 of 2" in text
    scores = study_tables.benchmarks()
    ours = summary(scores[scores["method"] != "trained"])
    for key in [key for key in context["numbers"] if key.startswith("benchmarks.") and ".trained" in key]:
        del context["numbers"][key]
    context["tables"]["benchmark_summary"] = ours.to_dict("records")
    text = words(written(tmp_path, context)[0])
    assert "No weights of our own were there" in text
    assert "Ours are" not in text


@pytest.mark.parametrize(
    "found",
    [
        {"std": 0.3},  # the bound of an estimator with this bias, 0.4, is undercut
        {"worst": 1.5},  # van Trees' bound, 1.6 of Cramér and Rao's, is undercut
        {"worst": 0.9, "van_trees": 0.3},  # the error is below the bound for any displacement
    ],
    ids=lambda found: next(iter(found)) + str(len(found)),
)
def test_verdict_on_the_bound_needs_all_bounds_and_an_error_above(context, tmp_path, found):
    context["numbers"] |= reduce.bound_numbers(study_tables.bounds(**found))
    text = words(written(tmp_path, context)[0])
    assert "is true of scatter" not in text
    assert "or a bound that must hold was undercut" in text


def test_wrong_models_are_shown_once_they_were_trained(context, tmp_path):
    text = words(written(tmp_path, context)[0]).replace("\u202f", " ")
    assert "strong jitter along y jitter along y too weak −2.00" in text  # the table's row
    assert "wrong over right, at 0.05 µs is 3.000 (3.000 to 3.000) times that at 0.2 µs" in text.replace("\xa0", " ")
    assert "less that of the one network: 0.50 (0.50 to 0.50) dB at high resolution and low doses" in text
    for name in ("fig07_changes", "resolutions", "annotations", "comparison_runs"):
        del context["tables"][name]
    del context["figures"]["fig07"]
    kept = {key: entry for key, entry in context["numbers"].items() if not key.startswith(("fig07", "resolution."))}
    text = words(written(tmp_path, context | {"numbers": kept})[0])
    assert "Wrong models of the distortions" not in text
    assert "Annotations and cropped borders" not in text


def test_what_our_network_is_told_is_shown_once_it_was_trained(context, tmp_path):
    text = words(written(tmp_path, context)[0]).replace("\u202f", " ").replace("\xa0", " ")
    assert "the published network keeps 0.50" in text
    assert "ours 0.40 (0.39 to 0.41) if told to expect none and 0.80 (0.78 to 0.82) if told to expect much" in text
    del context["figures"]["priors"]
    kept = {key: entry for key, entry in context["numbers"].items() if not key.startswith("priors.")}
    assert "A network that is told" not in words(written(tmp_path, context | {"numbers": kept})[0])


def test_networks_that_ship_are_shown_with_what_they_began_with(context, tmp_path):
    text = words(written(tmp_path, context)[0]).replace("\u202f", " ").replace("\xa0", " ")
    assert "compact with up to 4.50 million parameters and 119 thousand multiply-adds per pixel" in text
    assert "hrstem, first random weights stem_wide disorder 0.3 to 1000 256 128 2.3 16.00 26.50" in text
    second = "hrstem hrstem, first; 0.25 of the way kept stem_wide disorder, lattice in windows of 64, 128 px"
    assert f"{second} 0.3 to 1000 96 128 2.3 16.00 26.50" in text
    del context["tables"]["models"]
    assert "Networks that ship" not in words(written(tmp_path, context)[0])


def test_our_network_is_set_beside_the_published_one_once_it_was_trained(context, tmp_path):
    text = words(written(tmp_path, context)[0]).replace("\u202f", " ").replace("\xa0", " ")
    assert "within 20 % of the published network or closer in 30 of 40 conditions, told not to in 10 of 40" in text
    assert "in 20 of 40 and 24 of 40, and farther in 4 of 40 and 2 of 40" in text
    del context["figures"]["versus"], context["tables"]["versus_summary"]
    assert "Ours beside the published network" not in words(written(tmp_path, context)[0])


def test_what_could_not_be_measured_has_no_interval_and_no_unit(context, tmp_path):
    context["numbers"] |= reduce.blind_numbers("particle", study_tables.blind(recall=(0.0, 0.8)))
    page = written(tmp_path, context)[0]
    assert '<span class="num" title="blind.particle.raw_position_lowest">–</span>' in page


def test_claims_are_shown_and_counted_and_numbers_carry_their_key(context, tmp_path):
    page, _ = written(tmp_path, context)
    text = words(page)
    evaluated = [claim for claim in context["claims"] if claim["status"] != "not attempted"]
    assert f"Of {len(context['claims'])} claims in the ledger, {len(evaluated)} were held against" in text
    for claim in context["claims"]:
        assert words(f"<body>{html.escape(claim['statement'])}") in text
    assert '<span class="num" title="network.parameters_cgrdn">7\u202f035\u202f521</span>' in page


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        ("numbers", "fig03.gain_trend"),
        ("numbers", "network.parameters_cgrdn"),
        ("figures", "fig03_bias"),
        ("provenance", "commit"),
    ],
)
def test_what_was_not_measured_is_an_error(context, tmp_path, part, missing):
    del context[part][missing]
    with pytest.raises(EmrestoreError, match=missing):
        written(tmp_path, context)
    assert not (tmp_path / "print").exists()


def test_a_setting_that_is_not_there_is_an_error(context, tmp_path):
    leaves = context["config"]["settings"]
    leaves[:] = [leaf for leaf in leaves if leaf["key"] != "columns/border"]
    with pytest.raises(EmrestoreError, match="columns/border"):
        written(tmp_path, context)


def test_nothing_else_of_this_machine_is_read(context, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    for path in (secret, f"/../..{secret}"):
        (tmp_path / "report.typ").write_text(f'#read("{path}")', encoding="utf-8")
        with pytest.raises(EmrestoreError, match=r"report\.typ"):
            written(tmp_path / "out", context, template=tmp_path)


NUMBERS = {
    "decimals(-1234.567, 1)": "−1 234.6",
    "decimals(-0.001, 2)": "0.00",
    "decimals(0.996, 2)": "1.00",
    "decimals(none, 2)": "–",
    "figures(7035521)": "7 035 521",
    'figures("36.96")': "37.0",
    "figures(0.012345)": "0.0123",
    "figures(9.999)": "10.0",
    "figures(-0.09996)": "−0.100",
    "figures(0)": "0",
    "figures(2.2e-5, digits: 2)": "2.2 × 10⁻⁵",
    "figures(9.99e-4, digits: 2)": "1.0 × 10⁻³",
    "figures(4.56e12)": "4.56 × 10¹²",
    "figures(none)": "–",
    'figures("nan")': "–",
    'figures("")': "–",
    'printed("36.90")': "36.90",
    'printed("7040000")': "7 040 000",
    'printed("2.2e-5")': "2.2 × 10⁻⁵",
    'printed("-0.5")': "−0.5",
    "plain((low: 500, high: 50000))": "low 500, high 50 000",
    'plain((2, 3.5, -0.25, "Pt", true))': "2, 3.5, −0.25, Pt, true",
}


def test_numbers_read_well():
    source = '#import "/format.typ": *\n' + "\n".join(f"#metadata({expression})" for expression in NUMBERS)
    found = json.loads(typst.query(source.encode(), "metadata", field="value", root=ROOT / "report"))
    shown = dict(zip(NUMBERS, (text.replace("\u202f", " ") for text in found), strict=True))
    assert shown == NUMBERS


def test_a_tree_without_git_has_a_report(context, tmp_path):
    context["provenance"] |= {"commit": "unknown", "dirty": True}
    page, _ = written(tmp_path, context)
    assert "unknown" in page
