"""The report, from synthetic tables through the real numbers, ledger, configuration and template."""

import base64
import itertools
import re
import time
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
import pytest
import yaml
from weasyprint.urls import FatalURLFetchingError

from emrestore import config
from emrestore.claims import evaluate
from emrestore.errors import EmrestoreError
from emrestore.numbers import displaced_numbers, fig03_numbers, network_numbers
from emrestore.report import decimals, figures, plain, printed, render, write_pdf

ROOT = Path(__file__).parents[2]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
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
    rules = dict.fromkeys(ledger["table"], "tabulate")
    cross_sections = pd.DataFrame(
        {"thickness": THICKNESSES, "cell_scs": 0.01, "cell_scs_se": 1e-4, "fit_scs_ls_fine": 0.01}
    )
    pictures = {name: folder / f"{name}.png" for name in ("fig03", "fig03_bias", "fig03_displaced")}
    for path in pictures.values():
        path.write_bytes(PIXEL)
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


def words(html):
    """Text of a page, without markup, on one line."""
    body = html[html.index("<body>") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("\u202f", " ").replace("\xa0", " ")


def test_page_holds_everything_itself(context):
    html = render(ROOT / "report", context)
    assert html.count("data:image/png;base64,") == 3
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html)
    assert "url(" not in html
    assert "@import" not in html


def test_report_prints(context, tmp_path):
    write_pdf(render(ROOT / "report", context), tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_equal_contexts_give_equal_files(context, tmp_path):
    assert render(ROOT / "report", context) == render(ROOT / "report", context)
    files = []
    for name in "ab":
        write_pdf("<h1>Text</h1><p><b>bold</b> <code>code</code>", tmp_path / name)
        files.append((tmp_path / name).read_bytes())
        time.sleep(1.1)  # fonts carry a time in seconds
    assert files[0] == files[1]


def test_prose_follows_the_numbers(context, tmp_path):
    text = words(render(ROOT / "report", context))
    assert "restored positions scatter less than raw ones, by a factor of 2.17" in text  # 1.3 / 0.6
    assert "small scatter is bought with bias" in text
    assert "keeps only part of a displacement (slope 0.50" in text
    assert "scatter of restored positions is no measure of their error" in text
    opposite = {"raw_ls": (1.0, 1.0), "raw_ml": (1.0, 1.0), "published_ls": (1.5, 1.5)}
    text = words(render(ROOT / "report", make_context(tmp_path, opposite, slope=1.0)))
    assert "restored positions scatter more than raw ones" in text
    for absent in ("scatter less than raw", "bought with bias", "keeps only part", "is no measure of their error"):
        assert absent not in text


def test_every_claim_is_shown_once_and_counted(context):
    text = words(render(ROOT / "report", context))
    evaluated = [claim for claim in context["claims"] if claim["status"] != "not attempted"]
    assert f"Of {len(context['claims'])} claims in the ledger, {len(evaluated)} were held against" in text
    for claim in context["claims"]:
        assert claim["statement"] in text.replace("&#39;", "'").replace("&gt;", ">")


def test_values_in_the_text_carry_their_key(context):
    html = render(ROOT / "report", context)
    assert 'title="network.parameters_cgrdn">7\u202f035\u202f521<' in html


@pytest.mark.parametrize("missing", ["fig03.gain_trend", "network.parameters_cgrdn"])
def test_a_number_that_was_not_measured_is_an_error(context, missing):
    del context["numbers"][missing]
    with pytest.raises(EmrestoreError, match=missing):
        render(ROOT / "report", context)


def test_a_setting_figure_or_record_that_is_not_there_is_an_error(context, tmp_path):
    with pytest.raises(EmrestoreError, match="fig03_bias"):
        render(ROOT / "report", context | {"figures": {"fig03": context["figures"]["fig03"]}})
    with pytest.raises(jinja2.UndefinedError, match="commit"):
        render(ROOT / "report", context | {"provenance": {}})
    (tmp_path / "report.html.j2").write_text("{{ raw_setting('no/such') }}", encoding="utf-8")
    with pytest.raises(EmrestoreError, match="no/such"):
        render(tmp_path, context)


def test_nothing_is_fetched(tmp_path):
    with pytest.raises(FatalURLFetchingError, match="/etc/hostname"):
        write_pdf('<img src="file:///etc/hostname">', tmp_path / "x.pdf")
    assert not (tmp_path / "x.pdf").exists()


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (decimals(-1234.567, 1), "−1 234.6"),
        (figures(7_035_521), "7 035 521"),
        (figures("36.96"), "37.0"),
        (figures(0.012345), "0.0123"),
        (figures(9.999), "10.0"),
        (figures(0), "0"),
        (figures(2.2e-5, 2), "2.2 × 10⁻⁵"),
        (figures("nan"), "–"),
        (figures(""), "–"),
        (printed("36.90"), "36.90"),
        (printed("7040000"), "7 040 000"),
        (printed("2.2e-5"), "2.2 × 10⁻⁵"),
        (printed("-0.5"), "−0.5"),
        (plain({"low": 500, "high": 50000}), "low 500, high 50 000"),
        (plain([2, 3.5, "Pt", True]), "2, 3.5, Pt, True"),
    ],
)
def test_numbers_read_well(shown, expected):
    assert shown.replace("\u202f", " ") == expected
