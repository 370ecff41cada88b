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
import typst
import yaml

from emrestore import config
from emrestore.claims import evaluate
from emrestore.errors import EmrestoreError
from emrestore.numbers import (
    displaced_numbers,
    distortion_numbers,
    fig03_numbers,
    generator_numbers,
    network_numbers,
    realism_numbers,
)
from emrestore.report import render

ROOT = Path(__file__).parents[2]
DOSES, SAMPLINGS, THICKNESSES = (500, 50000), ("fine", "coarse"), (2, 8, 25, 75)
#: scatter and RMSE over the bound at the low dose; at the high dose all is level with the bound
LOW_DOSE = {"raw_ls": (1.3, 1.3), "raw_ml": (1.0, 1.0), "published_ls": (0.6, 1.7)}


def with_interval(name, value, half=0.03):
    return {name: value, f"{name}_low": value * (1 - half), f"{name}_high": value * (1 + half)}


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
    conditions = list(itertools.product(SAMPLINGS, THICKNESSES, DOSES, LOW_DOSE))
    fig03 = pd.DataFrame([measured(*row, q, low_dose) for row in conditions for q in ("position", "scs")])
    displaced = pd.DataFrame(
        {"specimen": specimen, "displacement": 10.0}
        | measured(*row, "position", low_dose)
        | with_interval("slope_x", slope if row[3] == "published_ls" and row[2] == DOSES[0] else 1.0)
        | with_interval("slope_y", slope if row[3] == "published_ls" and row[2] == DOSES[0] else 1.0)
        for specimen in ("displaced_small", "displaced_large")
        for row in conditions
    )
    networks = pd.DataFrame({"network": ["cgrdn", "grdn"], "parameters": [7_035_521, 7_019_073]})
    ledger = pd.read_csv(ROOT / "config/claims.tsv", sep="\t", dtype=str, keep_default_na=False)
    numbers = {key: {"value": 1.1, "network": "published"} for key in ledger["key"] if key}
    numbers |= fig03_numbers(fig03) | displaced_numbers(displaced) | network_numbers(networks)
    numbers |= distortion_numbers(comparisons()) | generator_numbers(*surveyed()) | realism_numbers(*compared())
    rules = dict.fromkeys(ledger["table"], "tabulate")
    cross_sections = pd.DataFrame(
        {"thickness": THICKNESSES, "cell_scs": 0.01, "cell_scs_se": 1e-4, "fit_scs_ls_fine": 0.01}
    )
    pictures = {}
    clean = ("clean_hrstem", "clean_lrstem", "generator", "fig11", "realism")
    for name in ("fig03", "fig03_bias", "fig03_displaced", *clean, "distortions", "fig12", "fig13", "fig14"):
        pictures[name] = {kind: folder / f"{name}.{kind}" for kind in ("png", "pdf")}
        for path in pictures[name].values():
            matplotlib.figure.Figure(figsize=(0.1, 0.1)).savefig(path)
    leaves = list(config.leaves(yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))))
    tables = {"fig03": fig03, "displaced": displaced, "cross_sections": cross_sections}
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
