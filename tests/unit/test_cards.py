"""Cards of networks: what they say comes from the record, the history and the scores."""

import json

import numpy as np
import pandas as pd
import pytest
import study_tables

from emrestore.benchmarks import summary
from emrestore.cards import card, markdown

METADATA = {"architecture": "Compact", "arguments": {"widths": [4, 8]}, "tensors_sha256": "a" * 64, "start": "b" * 64}
RECORD = {
    "inputs": {"results/disordered/lrsem/train/0.nc": "1", "results/disordered/lrsem/validation/0.nc": "2"},
    "params": {
        "chain": "sem",
        "distortions": {"effects": {}, "chains": {"sem": ["shot", "blur"]}, "exposure": {"dose": [0.3, 1000]}},
        "loss": {"l1": 1.0, "adversarial": 0.0},
        "schedule": {"crop": 128, "batch": 16, "optimiser": "muon", "learning_rate": 0.002},
        "precision": "bf16-mixed",
        "seed": 7,
    },
    "commit": "0123456789abcdef",
    "dirty": False,
    "started": "2024-05-01T12:00:00+00:00",
    "versions": {"torch": "2.13.0"},
}
COLUMNS = {
    "kind": "honesty",
    "specimen": "displaced_small",
    "method": "honest",
    "conditions": 16,
    "within": 16,
    "closer": 12,
    "farther": 1,
    "least": 0.1,
    "middle": 0.25,
    "largest": 1.1,
}


@pytest.fixture
def known():
    history = pd.DataFrame(
        {"crops": [8000, 16000], "seconds": [1800.0, 5400.0], "psnr": [24.0, 25.5], "psnr_raw": 20.0}
    )
    rows = []
    for image, (raw, ours) in enumerate([(20.0, 26.0), (20.0, 24.0), (20.0, 19.5), (None, None)]):
        for method, psnr in (("raw", raw), ("trained", ours), ("published", 26.0 if raw else None)):
            row = {"set": "authors", "split": "development", "modality": "lrsem", "method": method, "image": image}
            rows.append(row | {"psnr": psnr, "ssim": 0.5 if psnr else None, "l1": 0.1 if psnr else None})
    scores = pd.DataFrame(rows)
    flat = {"specimen": "flat", "least": np.nan, "middle": np.nan, "largest": np.nan}
    columns = pd.DataFrame([COLUMNS, COLUMNS | {"specimen": "features", "largest": np.inf}, COLUMNS | flat])
    starts = {"first": history.iloc[:1], "second": history}
    return card("lrsem", METADATA, RECORD, history, scores, summary(scores), columns, study_tables.priors(), starts)


def test_a_card_says_what_share_of_the_way_is_kept(known):
    assert "of the way" not in markdown(known)
    known["training"]["schedule"] = known["training"]["schedule"] | {"share": 0.25}
    assert "0.25 of the way" in markdown(known)


def test_a_card_says_what_was_measured(known):
    assert known["training"]["hours"] == 1.5
    assert known["data"]["clean_images"].startswith("1 shards of random specimens (1 of lrsem)")
    # the third image lost half a decibel; the fourth is left out
    assert known["failures"] == {
        "images": 3,
        "worse_than_raw": 1,
        "least_gain": -0.5,
        "where": "the authors' pairs for development, number 2",
        "least_over_published": -6.5,
        "where_over_published": "the authors' pairs for development, number 2",
    }
    assert {row["method"] for row in known["scores"]} == {"raw", "trained", "published"}
    assert json.loads(json.dumps(known)) == known


def test_a_page_holds_it(known):
    page = markdown(known)
    assert "16,000 crops of 128 px in 1.5 hours" in page
    # mean of 26, 24 and 19.5, and Student's interval of two degrees of freedom
    row = "| the authors' pairs for development | trained | 3 | 23.17 (14.90 to 31.44) | -2.83 (-11.10 to 5.44) |"
    assert row in page
    assert "loses most on the authors' pairs for development, number 2: 6.50 dB" in page
    assert "chain `sem` (shot, blur)" in page
    assert "none by those for release" in page
    assert "doses of 0.3 to 1000 electrons per pixel" in page
    assert "24.00 dB after 8,000, 25.50 dB after 16,000" in page
    assert "Loss: l1 1." in page
    start = "`second` (SHA-256 of its tensors bbbbbbbbbbbbbbbb), which started from `first`; muon at a learning rate"
    assert start in page
    assert "In all: 40,000 crops in 3.5 hours" in page
    # told 1: one decibel less without disorder, one more with much; slopes of 0.8, vacancies of 0.2
    assert "| 1 | -1.00 | 1.00 | 0.80 | 0.20 |" in page
    assert "| all of the authors' pairs | trained | 3 | 23.17" in page
    assert "1 of 3 benchmark images are worse" in page
    assert "| honesty | displaced, small | honest | 16 | 12 | 1 | 0.25 | 1.10 |" in page
    assert "| honesty | features | honest | 16 | 12 | 1 | 0.25 | ∞ |" in page
    assert "| honesty | flat | honest | 16 | 12 | 1 | – | – |" in page
    assert "fast scan must run along +x" in page


def test_a_card_without_pairs_of_the_authors_does_not_speak_of_them(known):
    known["scores"] = [row | {"split": "validation"} for row in known["scores"]]
    assert "for release" not in markdown(known)
