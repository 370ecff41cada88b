"""The ledger config/claims.tsv keeps its schema, and the schema refuses what it should."""

from pathlib import Path

import jsonschema
import pandas as pd
import pytest
import yaml

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(scope="module")
def ledger():
    return pd.read_csv(CONFIG / "claims.tsv", sep="\t", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def validator():
    schema = yaml.safe_load((CONFIG / "schema/claims.schema.yaml").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture
def good(ledger):
    return dict(ledger[ledger["id"] == "lobato-table1-psnr-cgrdn"].iloc[0]) | {"table": "", "key": ""}


def test_every_row_keeps_the_schema(ledger, validator):
    rows = ledger.to_dict("records")
    assert not [(row["id"], error.message) for row in rows for error in validator.iter_errors(row)]


def test_ids_are_unique_and_begin_with_their_source(ledger):
    assert ledger["id"].is_unique
    assert all(row.id.startswith(f"{row.source}-") for row in ledger.itertuples())


def test_numbers_parse(ledger):
    for name in ("paper_value", "tolerance"):
        pd.to_numeric(ledger.loc[ledger[name] != "", name], errors="raise")
    assert (pd.to_numeric(ledger.loc[ledger["tolerance"] != "", "tolerance"]) > 0).all()


def test_text_is_clean(ledger):
    for name in ledger:
        assert (ledger[name] == ledger[name].str.strip()).all()
        assert not ledger[name].str.contains('"', regex=False).any(), "quotes would change what a plain reader sees"


def test_no_two_claims_say_the_same(ledger):
    said = ledger[["source", "where", "statement", "paper_value", "comparison"]]
    assert not said.duplicated().any()


def test_main_paper_comes_first(ledger):
    assert list(dict.fromkeys(ledger["source"])) == ["lobato", "katsuno", "ede-denoiser", "ede-thesis"]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "Lobato-x"},
        {"id": "lobato--x"},
        {"source": "treder"},
        {"where": ""},
        {"statement": "no capital."},
        {"kind": "equal"},
        {"paper_value": "about 37"},
        {"paper_value": ""},  # an equality without the paper's number
        {"comparison": "above"},  # with a tolerance
        {"tolerance": ""},
        {"table": "tables/table1.csv"},  # without a key
        {"key": "table1.psnr"},  # without a table
        {"table": "results/tables/table1.csv", "key": "table1.psnr"},
        {"note": "an unknown column"},
        {"kind": "ratio", "paper_value": ""},  # a direction that has a unit
    ],
    ids=lambda change: ",".join(f"{key}={value}" for key, value in change.items()),
)
def test_schema_refuses(good, validator, change):
    assert not list(validator.iter_errors(good))
    assert list(validator.iter_errors(good | change))
