"""The papers' claims, each held against a number that this study measured."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from emrestore.errors import EmrestoreError

#: Columns of results/claims.csv.
COLUMNS = [
    "id", "source", "statement", "paper_value", "unit", "measured_published", "measured_trained",
    "ci_low", "ci_high", "tolerance", "status", "table", "rule", "decided", "where", "comparison", "key", "reason",
]  # fmt: skip
#: A claim without a number of the paper's is a ratio that must differ from, or equal, this.
NO_CHANGE = 1.0
#: Which measured columns a number stands in, by the network that it is of.
MEASURED = {"published": ["measured_published"], "trained": ["measured_trained"]}
MEASURED[""] = [*MEASURED["published"], *MEASURED["trained"]]


def evaluate(claims: pd.DataFrame, numbers: Mapping[str, Mapping], rules: Mapping[str, str]) -> pd.DataFrame:
    """Decide every claim that names a number.

    The measured value alone sets the status: ``reproduced`` where it fulfils the claim, ``not reproduced``
    where it does not. The interval sets ``decided``: ``yes`` where every value of the 95 % interval gives the
    same answer, ``no`` where the interval straddles the claim's limit and more realisations could turn the
    status. A number without an interval is exact. A number marked ``comparable: false``, or not finite, gives
    ``not comparable``; a claim without a key is ``not attempted``; ``decided`` is empty for both.

    Parameters
    ----------
    claims
        Rows of ``config/claims.tsv`` as text; ``config/schema/claims.schema.yaml`` says what the columns
        mean.
    numbers
        ``results/numbers.json``: key -> ``value``, ``ci_low`` and ``ci_high`` (both or neither), ``exact`` and
        ``incomparable`` (a reason) where it is so, ``network``: ``published``, ``trained``, or nothing for a number
        that no trained weights enter. A key with ``.trained`` behind it is the same number of our network.
    rules
        Table -> name of the rule that makes it.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`, one row per claim in the order of the ledger. ``paper_value``, ``tolerance`` and all
        words are text as in the ledger, measured values and intervals are floats, NaN where there is none. A
        number that no trained weights enter is the same for every network and stands in both measured
        columns. Intervals and status are those of the key's own number.

    Raises
    ------
    EmrestoreError
        If a claim names a number that was not measured or a table that no rule makes.
    """
    rows = [dict(row) | _verdict(row, numbers, rules) for row in claims.to_dict("records")]
    return pd.DataFrame(rows, columns=COLUMNS)


def _verdict(claim: Mapping[str, str], numbers: Mapping[str, Mapping], rules: Mapping[str, str]) -> dict:
    """Give the columns that measurement adds to a claim."""
    blank = dict.fromkeys([*MEASURED[""], "ci_low", "ci_high"], np.nan) | {"reason": ""}
    if not claim["table"]:
        return blank | {"status": "not attempted", "rule": "", "decided": ""}
    if claim["key"] not in numbers:
        raise EmrestoreError(
            f"claim '{claim['id']}' in config/claims.tsv names the number '{claim['key']}', which was not "
            "measured; correct its key, or empty its table and key"
        )
    if claim["table"] not in rules:
        raise EmrestoreError(
            f"claim '{claim['id']}' in config/claims.tsv names '{claim['table']}', which no rule is said "
            "to make; correct its table, or name the rule in rules/report.smk"
        )
    number = numbers[claim["key"]]
    value = number["value"]
    low, high = (number.get(end, value if number.get("exact") else np.nan) for end in ("ci_low", "ci_high"))
    found = blank | dict.fromkeys(MEASURED[number.get("network") or ""], value) | {"ci_low": low, "ci_high": high}
    if ours := numbers.get(f"{claim['key']}.trained"):
        found["measured_trained"] = ours["value"]
    found |= {"rule": rules[claim["table"]], "status": "not comparable", "decided": ""}
    if reason := number.get("incomparable") or ("" if np.isfinite(value) else "not finite"):
        found["reason"] = reason
    else:
        answers = fulfils(np.array([value, low, high]), claim["comparison"], claim["paper_value"], claim["tolerance"])
        found["status"] = "reproduced" if answers[0] else "not reproduced"
        found["decided"] = "yes" if _same_throughout(answers, claim, low, high) else "no"
    return found


def fulfils(measured: np.ndarray, comparison: str, paper_value: str, tolerance: str) -> np.ndarray:
    """Tell which measured values fulfil a claim, whose paper value and tolerance are text as in the ledger.

    NaN fulfils nothing.
    """
    reference = float(paper_value) if paper_value else NO_CHANGE
    if comparison == "close":
        return np.abs(measured - reference) <= float(tolerance)
    return measured > reference if comparison == "above" else measured < reference


def _same_throughout(answers: np.ndarray, claim: Mapping[str, str], low: float, high: float) -> bool:
    """Tell whether the whole interval gives the value's answer; ``answers``: of the value and both ends."""
    if not np.isfinite([low, high]).all() or not (answers == answers[0]).all():
        return False
    # two ends that are both not close may lie on either side of what is close
    reference = float(claim["paper_value"]) if claim["paper_value"] else NO_CHANGE
    return bool(claim["comparison"] != "close" or answers[0] or (low > reference) == (high > reference))
