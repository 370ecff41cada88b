"""Model cards: what a network was trained on, how long, what it scores, and where it fails."""

import hashlib
import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from emrestore.train.report import precision_of

#: What users of each instrument's networks have to know, whatever the scores.
SCANNED = (
    "The fast scan must run along +x: it knows the lag of a detector that is read from left to right. Where hardly any "
    "noise is seen it takes more lag back than there is and moves columns along x, how far is in models/README.md: "
    "measure the raw image there."
)
LIMITS = {
    "stem": SCANNED,
    "sem": SCANNED,
    "tem": "Trained on images of cameras: it knows no scan, and so no lag and no jitter of rows.",
}
ALL = (
    "What it misses, and why, as far as was found: models/README.md.",
    "Trained on simulated images alone. Standard errors of fits to restored images are too small: fit the raw image.",
    "At low dose it shows what it expects; see the report's audit before a number is taken from a restored image.",
)
SPLITS = {
    "validation": "our validation pairs",
    "development": "the authors' pairs for development",
    "release": "the authors' pairs for release",
    "all": "all of the authors' pairs",
}


def card(
    modality: str,
    metadata: Mapping,
    record: Mapping,
    history: pd.DataFrame,
    scores: pd.DataFrame,
    summary: pd.DataFrame,
    columns: pd.DataFrame | None = None,
    priors: pd.DataFrame | None = None,
    starts: Mapping[str, pd.DataFrame] | None = None,
) -> dict:
    """Collect what there is to say of a network.

    Parameters
    ----------
    modality
        Of the network.
    metadata
        Of its file (:func:`emrestore.network.weights.read_metadata`).
    record
        Of the job that trained it.
    history
        A row per validation.
    scores, summary
        ``results/tables/benchmarks.csv`` and ``benchmark_summary.csv``.
    columns
        ``results/tables/versus_summary.csv``, of the network whose columns were measured.
    priors
        ``results/tables/priors.csv``, of the network that was told different amounts of disorder.
    starts
        Histories of the networks that it began with, by name, the first one first.

    Returns
    -------
    dict
        JSON.
    """
    params, last = record["params"], history.iloc[-1]
    shards = {name: digest for name, digest in record["inputs"].items() if "/train/" in name}
    own = scores[(scores["modality"] == modality) & (scores["method"] == "trained")]
    gains, losses = (_differences(own, scores, method) for method in ("raw", "published"))
    worst = gains.loc[gains["difference"].idxmin()]
    farthest = losses.loc[losses["difference"].idxmin()] if len(losses) else None
    some = summary[(summary["modality"] == modality) & summary["method"].isin(["raw", "trained", "published"])]
    return {
        "modality": modality,
        "told": bool(metadata["arguments"].get("conditional")),
        "architecture": metadata["architecture"],
        "arguments": metadata["arguments"],
        "tensors_sha256": metadata["tensors_sha256"],
        "data": {
            "chain": params["chain"],
            "effects": params["distortions"]["chains"][params["chain"]],
            "clean_images": f"{len(shards)} shards of random specimens ({_mix(shards)}), SHA-256 of their digests "
            f"{_digest(shards)}",
            "distortions": f"as the configuration of this commit has them, SHA-256 {_digest(params['distortions'])}",
            "dose": params["distortions"]["exposure"]["dose"],
            "configuration": f"SHA-256 of all parameters of the run: {_digest(params)}",
        },
        "training": {
            "loss": params["loss"],
            "schedule": params["schedule"],
            "precision": precision_of(record),
            "start": metadata.get("start"),
            "starts": [{"network": name} | _effort(table.iloc[-1]) for name, table in (starts or {}).items()],
            **_effort(last),
            "seed": params["seed"],
            "commit": record["commit"],
            "dirty": record["dirty"],
            "started": record["started"],
            "torch": record["versions"]["torch"],
        },
        "validation": history[["crops", "psnr"]].to_dict("list") | {"raw": float(last["psnr_raw"])},
        "scores": json.loads(some.to_json(orient="records")),
        "columns": json.loads(_with_infinity(columns).to_json(orient="records")) if columns is not None else [],
        "priors": json.loads(_told(priors).to_json(orient="records")) if priors is not None else [],
        "failures": {
            "images": len(gains),
            "worse_than_raw": int((gains["difference"] < 0).sum()),
            "least_gain": float(worst["difference"]),
            "where": _place(worst),
            "least_over_published": None if farthest is None else float(farthest["difference"]),
            "where_over_published": None if farthest is None else _place(farthest),
        },
        "limits": [*ALL, LIMITS[modality[2:]]],
    }


def markdown(known: Mapping) -> str:
    """Write a card for people."""
    training, failures = known["training"], known["failures"]
    stages = [*training["starts"], training]
    lines = [
        f"# {known['modality']}",
        "",
        f"{known['architecture']} with {known['arguments']}, trained on {training['crops']:,} crops of "
        f"{training['schedule']['crop']} px in {training['hours']:g} hours ({training['precision']}, PyTorch "
        f"{training['torch']}, seed {training['seed']}, commit {training['commit'][:12]}"
        f"{' with changes' if training['dirty'] else ''}, {training['started'][:10]}).",
        "",
        f"- Started from {_start(training)}; {training['schedule']['optimiser']} at a learning rate of "
        f"{training['schedule']['learning_rate']:g}, {training['schedule']['batch']} crops a step.{_share(training)}",
        f"- Clean images: {known['data']['clean_images']}.",
        f"- Distortions: chain `{known['data']['chain']}` ({', '.join(known['data']['effects'])}), "
        f"{known['data']['distortions']}; doses of {known['data']['dose'][0]:g} to {known['data']['dose'][1]:g} "
        "electrons per pixel.",
        f"- In all: {sum(stage['crops'] for stage in stages):,} crops in {sum(stage['hours'] for stage in stages):.2g} "
        "hours, those of what it started from among them.",
        f"- {known['data']['configuration']}.",
        f"- Loss: {', '.join(f'{name} {weight:g}' for name, weight in training['loss'].items() if weight)}.",
        "",
        "| images | method | number | PSNR [dB] | less published [dB] | SSIM | L1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in known["scores"]:
        shown = [
            _interval(row, name, digits, *possible)
            for name, digits, *possible in (
                ("psnr", 2),
                ("psnr_over_published", 2),
                ("ssim", 3, -1.0, 1.0),
                ("l1", 4, 0.0),
            )
        ]
        lines.append(f"| {SPLITS[row['split']]} | {row['method']} | {row['images']} | {' | '.join(shown)} |")
    told = " A network that can be told how much disorder to expect was told to expect none." if known["told"] else ""
    chosen = (
        "Weights were chosen by our validation pairs and the authors' pairs for development, none by those for "
        "release; but by all of the authors' pairs it was seen which networks to train anew."
        if {row["split"] for row in known["scores"]} != {"validation"}
        else "Weights were chosen by our validation pairs; the authors have none of this modality that can be used."
    )
    lines += ["", f"Intervals are of 95 %, by Student's t over images; differences are image by image.{told} {chosen}"]
    if known["priors"]:
        lines += [
            "",
            "What changes with the disorder that it is told to expect: PSNR less that told least, on validation images "
            "of specimens without disorder and with much, and at the lowest dose of the study's prior curve the slope "
            "of measured on true displacement and what is shown of a vacancy, over a whole column.",
            "",
            "| told | without disorder [dB] | with disorder [dB] | slope | vacancy |",
            "|---|---|---|---|---|",
        ]
    for row in known["priors"]:
        shown = [_number(row[name], 2) for name in ("gain_ordered", "gain_disordered", "slope", "vacancy")]
        lines.append(f"| {row['disorder']:g} | {' | '.join(shown)} |")
    if known["columns"]:
        lines += [
            "",
            "Columns measured against a truth: distance from it over the published network's, told to expect a perfect "
            "lattice (strong) and disorder (honest). Closer and farther: with the whole 95 % interval; ∞: the other "
            "has none.",
            "",
            "| what | specimen | told | conditions | closer | farther | median ratio | largest |",
            "|---|---|---|---|---|---|---|---|",
        ]
    for row in known["columns"]:
        # a distance that the published network has not at all has no ratio, and JSON no infinity
        middle, largest = (_number(row[name], 2) for name in ("middle", "largest"))
        lines.append(
            f"| {row['kind']} | {row['specimen'].replace('_', ', ')} | {row['method']} | {row['conditions']} | "
            f"{row['closer']} | {row['farther']} | {middle} | {largest} |"
        )
    curve = known["validation"]
    step = max(1, len(curve["crops"]) // 8)
    shown = [*zip(curve["crops"], curve["psnr"], strict=True)][::-1][::step][::-1]
    lines += [
        "",
        f"Validation crops during training (raw {curve['raw']:.2f} dB): "
        + ", ".join(f"{psnr:.2f} dB after {int(crops):,}" for crops, psnr in shown)
        + ".",
        "",
        "Known failures and limits:",
        "",
        f"- {failures['worse_than_raw']} of {failures['images']} benchmark images are worse than raw ones in PSNR; the "
        f"least gain is {failures['least_gain']:.2f} dB ({failures['where']}).",
        *_against_published(failures),
        *[f"- {limit}" for limit in known["limits"]],
    ]
    return "\n".join(lines) + "\n"


def _mix(shards: Mapping) -> str:
    """Count shards by what they show: ``results/disordered/KIND/train/NUMBER.nc``."""
    kinds = [name.split("/")[-3] for name in shards]
    return ", ".join(f"{kinds.count(kind)} of {kind}" for kind in dict.fromkeys(kinds))


def _effort(last: pd.Series) -> dict:
    """Give crops and hours at the end of a history."""
    return {"crops": int(last["crops"]), "hours": round(float(last["seconds"]) / 3600, 2)}


def _told(priors: pd.DataFrame) -> pd.DataFrame:
    """Give a row for each disorder told: gains in PSNR, and slope and vacancy at the lowest dose, widely displaced."""
    rows = priors[priors["method"] == "trained"]
    gains = rows[rows["quantity"].str.startswith("gain")]
    lowest = rows[rows["dose"] == rows["dose"].min()]
    slopes = lowest[(lowest["quantity"] == "slope") & (lowest["width"] == lowest["width"].max())]
    shown = pd.concat([gains, slopes, lowest[lowest["quantity"] == "vacancy"]])
    return shown.pivot(index="disorder", columns="quantity", values="value").reset_index()


def _share(training: Mapping) -> str:
    """Say how far from the weights begun with those that are kept lie, if not at the end."""
    share = training["schedule"].get("share", 1)
    return f" Kept is what lies {share:g} of the way from the weights begun with to the last ones." if share < 1 else ""


def _start(training: Mapping) -> str:
    if not training["start"]:
        return "random weights"
    names = [f"`{stage['network']}`" for stage in training["starts"][::-1]] or ["weights"]
    names[0] += f" (SHA-256 of its tensors {training['start'][:16]})"
    return ", which started from ".join(names)


def _against_published(failures: Mapping) -> list[str]:
    """Say where it is farthest behind the published network."""
    least = failures["least_over_published"]
    if least is None or least >= 0:
        return []
    return [f"- Against the published network it loses most on {failures['where_over_published']}: {-least:.2f} dB."]


def _differences(own: pd.DataFrame, scores: pd.DataFrame, method: str) -> pd.DataFrame:
    """Give the images that both restored, with PSNR less that of another method as ``difference`` [dB]."""
    both = own.merge(
        scores[scores["method"] == method], on=["set", "split", "modality", "image"], suffixes=("", "_other")
    )
    return both.assign(difference=both["psnr"] - both["psnr_other"]).dropna(subset="difference")


def _place(row: pd.Series) -> str:
    return f"{SPLITS[row['split']]}, number {int(row['image'])}"


def _with_infinity(table: pd.DataFrame) -> pd.DataFrame:
    """Write ratios to nothing as a sign, as JSON knows no infinity; those of nothing to nothing are left out."""
    return table.astype(object).replace(np.inf, "∞")


def _number(value: float | str | None, digits: int) -> str:
    """Give a number, or what stands for one that JSON does not have."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:.{digits}f}"


def _interval(row: Mapping, name: str, digits: int, least: float = -np.inf, most: float = np.inf) -> str:
    """Give a mean and its interval, which ends where values do."""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    text = _number(value, digits)
    return text if low is None else f"{text} ({max(low, least):.{digits}f} to {min(high, most):.{digits}f})"


def _digest(known: Mapping) -> str:
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
