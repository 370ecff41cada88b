"""How claims are decided."""

import numpy as np
import pandas as pd
import pytest

from emrestore.claims import COLUMNS, evaluate
from emrestore.errors import EmrestoreError

RULES = {"tables/t.csv": "tabulate_t"}


def ledger(comparison="above", paper_value="", tolerance="", table="tables/t.csv", key="t.x"):
    row = {
        "id": "lobato-t",
        "source": "lobato",
        "where": "Fig. 0",
        "statement": "It is so.",
        "kind": "ratio",
        "unit": "",
    }
    row |= {
        "comparison": comparison,
        "paper_value": paper_value,
        "tolerance": tolerance,
        "table": table,
        "key": key,
    }
    return pd.DataFrame([row])


def verdict(value, low=None, high=None, claim=None, **more):
    number = {"value": value, "unit": "", "network": "published"} | more
    if low is not None:
        number |= {"ci_low": low, "ci_high": high}
    return evaluate(ledger() if claim is None else claim, {"t.x": number}, RULES).iloc[0]


CLOSE = {"comparison": "close", "paper_value": "36.96", "tolerance": "1"}


@pytest.mark.parametrize(
    ("claim", "value", "low", "high", "status", "decided"),
    [
        # a direction without a number of the paper's is decided against a ratio of one
        ({"comparison": "above"}, 2.0, 1.5, 2.5, "reproduced", "yes"),
        ({"comparison": "above"}, 1.1, 0.9, 1.3, "reproduced", "no"),
        ({"comparison": "above"}, 0.9, 0.8, 1.1, "not reproduced", "no"),
        ({"comparison": "above"}, 0.9, 0.8, 0.95, "not reproduced", "yes"),
        ({"comparison": "above"}, 1.0, 0.8, 0.95, "not reproduced", "yes"),
        ({"comparison": "below"}, 0.9, 0.8, 0.95, "reproduced", "yes"),
        ({"comparison": "below"}, 0.9, 0.8, 1.1, "reproduced", "no"),
        ({"comparison": "below"}, 1.2, 1.1, 1.3, "not reproduced", "yes"),
        ({"comparison": "close", "tolerance": "0.2"}, 1.15, 1.1, 1.19, "reproduced", "yes"),
        ({"comparison": "close", "tolerance": "0.2"}, 1.5, 1.4, 1.6, "not reproduced", "yes"),
        # a number of the paper's
        (CLOSE, 36.5, 36.0, 37.0, "reproduced", "yes"),
        (CLOSE, 36.5, 35.9, 37.1, "reproduced", "no"),
        (CLOSE, 35.5, 35.0, 36.0, "not reproduced", "no"),
        (CLOSE, 30.0, 29.0, 31.0, "not reproduced", "yes"),
        # both ends fail, on opposite sides: some of the interval is close all the same
        (CLOSE, 38.5, 35.0, 42.0, "not reproduced", "no"),
        ({"comparison": "below", "paper_value": "12"}, 11.0, 10.0, 11.9, "reproduced", "yes"),
    ],
)
def test_value_sets_the_status_and_interval_whether_it_is_decided(claim, value, low, high, status, decided):
    row = verdict(value, low, high, ledger(**claim))
    assert (row["status"], row["decided"]) == (status, decided)
    assert (row["ci_low"], row["ci_high"]) == (low, high)


def test_paper_parameter_counts_reproduce_exactly():
    claim = ledger("close", "7040000", "5000")
    assert verdict(7_035_521, claim=claim, exact=True)[["status", "decided"]].tolist() == ["reproduced", "yes"]
    assert verdict(7_045_001, claim=claim)["status"] == "not reproduced"


def test_number_without_interval_decides_if_it_is_exact():
    row = verdict(2.0, exact=True)
    assert (row["ci_low"], row["ci_high"], row["decided"]) == (2.0, 2.0, "yes")
    row = verdict(2.0)
    assert (row["status"], row["decided"]) == ("reproduced", "no")
    assert row[["ci_low", "ci_high"]].isna().all()


@pytest.mark.parametrize(
    ("network", "published", "trained"),
    [("published", 2, np.nan), ("trained", np.nan, 2), ("", 2, 2), (None, 2, 2)],
)
def test_network_decides_the_column(network, published, trained):
    row = verdict(2.0, network=network)
    np.testing.assert_equal([row["measured_published"], row["measured_trained"]], [published, trained])


def test_our_network_stands_beside_the_published_one():
    measured = {"value": 2.0, "ci_low": 1.5, "ci_high": 2.5, "network": "published"}
    row = evaluate(ledger(), {"t.x": measured, "t.x.trained": {"value": 0.5, "network": "trained"}}, RULES).iloc[0]
    assert (row["measured_published"], row["measured_trained"]) == (2.0, 0.5)
    assert (row["ci_low"], row["status"]) == (1.5, "reproduced")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ({"value": 2.0, "incomparable": "other images"}, "other images"),
        ({"value": np.nan}, "not finite"),
        ({"value": np.inf}, "not finite"),
    ],
)
def test_what_cannot_be_compared_gets_no_verdict_but_a_reason(number, reason):
    row = evaluate(ledger(), {"t.x": number}, RULES).iloc[0]
    assert (row["status"], row["decided"], row["reason"]) == ("not comparable", "", reason)


@pytest.mark.parametrize("end", [np.nan, np.inf])
def test_interval_without_an_end_decides_nothing(end):
    assert verdict(2.0, 1.5, end)["decided"] == "no"


def test_claim_without_table_is_not_attempted():
    row = evaluate(ledger(table="", key=""), {}, {}).iloc[0]
    assert (row["status"], row["decided"], row["rule"]) == ("not attempted", "", "")
    assert row[["measured_published", "measured_trained", "ci_low", "ci_high"]].isna().all()


def test_missing_number_or_rule_names_the_claim():
    with pytest.raises(EmrestoreError, match=r"'lobato-t'.*'t\.x'"):
        evaluate(ledger(), {}, RULES)
    with pytest.raises(EmrestoreError, match=r"'lobato-t'.*'tables/t\.csv'"):
        evaluate(ledger(), {"t.x": {"value": 2.0}}, {})


def test_columns_and_order_are_as_published():
    claims = pd.concat([ledger(), ledger(table="", key="").assign(id="lobato-u")])
    table = evaluate(claims, {"t.x": {"value": 2.0}}, RULES)
    assert list(table.columns) == COLUMNS
    assert list(table["id"]) == ["lobato-t", "lobato-u"]
    assert table.loc[0, "rule"] == "tabulate_t"
