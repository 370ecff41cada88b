"""Tables of experiments with networks: means over seeds, and what a change of loss, distortions or images changes."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from emrestore.io import atomic_path
from emrestore.network.build import build
from emrestore.stats import mean_interval
from emrestore.train import costs

#: What tells runs apart.
KEYS = ["experiment", "network", "seed"]
#: What a run's record says of it: parameters of its rule, and what ran them.
PARAMETERS = ["architecture", "arguments", "modality", "chain", "crops", "loss", "schedule"]
FACTS = ["commit", "dirty", "code", "started"]
#: What is averaged over seeds.
SCORES = ["psnr", "l1", "position_rmse", "slope", "scs_bias"]
#: What a network costs, the same for all seeds but for the timing.
COSTS = ["parameters", "multiply_adds", "seconds", "training_seconds", "crops"]
#: What networks that learned other distortions are judged by.
JUDGED = ["psnr", "ssim", "l1", "position_rmse", "lag", "jitter_x", "jitter_y", "streaks"]
#: What is kept of annotations and cropping, and of the rest of an image, as mean absolute change.
KEPT = ["annotated", "cropped", "elsewhere"]


def run_table(records: list[Path], runs: list[list]) -> pd.DataFrame:
    """Tabulate what is known of training runs: :data:`KEYS`, and what the record of each says."""
    keys = pd.DataFrame(runs[: len(records)], columns=KEYS)
    return keys.join(pd.DataFrame([_run_row(path) for path in records]))


def stack(tables: list[Path], runs: list[list]) -> pd.DataFrame:
    """Put tables of runs below each other; each row starts with the :data:`KEYS` of its run."""
    named = zip(runs, tables, strict=True)
    found = pd.concat([pd.read_csv(path).assign(**dict(zip(KEYS, run, strict=True))) for run, path in named])
    return found[[*KEYS, *(column for column in found if column not in KEYS)]]


def keep(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write each table into the folder, as name.csv; what was there stays until the new one is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        with atomic_path(folder / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


def model_table(records: list[Path], histories: list[Path]) -> pd.DataFrame:
    """Tabulate trained networks: what the record of each says of its run, and where its history ended.

    Parameters
    ----------
    records, histories
        ``NAME.json`` and ``NAME.csv`` of each network, in the same order.

    Returns
    -------
    DataFrame
        ``network, modality, chain, conditional, lattice`` (windows [px], separated by commas), ``start`` (the network
        that it began with, if any), ``share`` of the way from there to the last weights that is kept, ``optimiser,
        learning_rate, batch, crop`` [px], ``dose_low, dose_high`` [e/px], ``crops, hours``, ``psnr_raw`` and ``psnr``
        of the validation crops [dB], ``parameters, multiply_adds`` per pixel, ``commit, started``.
    """
    rows = []
    read = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in records}
    for path, told in zip(records, histories, strict=True):
        known, last = read[path.stem], pd.read_csv(told).iloc[-1]
        params, schedule = known["params"], known["params"]["schedule"]
        arguments = params["arguments"]
        starts = lineage(path.stem, read)[:-1]
        dose = params["distortions"]["exposure"]["dose"]
        network = build(params["architecture"], arguments, 0)
        rows.append(
            {
                "network": path.stem,
                "modality": params["modality"],
                "chain": params["chain"],
                "conditional": arguments.get("conditional", False),
                "lattice": ", ".join(map(str, arguments.get("lattice", []))),
                "start": starts[-1] if starts else "",
                "share": schedule.get("share", 1.0),
                **{name: schedule[name] for name in ("optimiser", "learning_rate", "batch", "crop")},
                "dose_low": dose[0],
                "dose_high": dose[1],
                "crops": int(last["crops"]),
                "hours": last["seconds"] / 3600,
                "psnr_raw": last["psnr_raw"],
                "psnr": last["psnr"],
                "parameters": costs.parameters(network),
                "multiply_adds": costs.multiply_adds(network),
                **{name: known[name] for name in ("commit", "started")},
            }
        )
    return pd.DataFrame(rows)


def lineage(network: str, records: Mapping[str, Mapping]) -> list[str]:
    """Name the networks that a network goes back to, the first one first and itself last.

    A network that was named otherwise when another began with it is known by its weights.

    Parameters
    ----------
    network
        One of the records' names.
    records
        Of training runs, by the names that their networks have now.
    """
    names = {
        digest: name
        for name, record in records.items()
        for path, digest in record["outputs"].items()
        if _is_weights(path)
    }
    found = [network]
    while found[0] in records:
        starts = [(digest, path) for path, digest in records[found[0]]["inputs"].items() if _is_weights(path)]
        if not starts:
            break
        digest, path = starts[0]
        found.insert(0, names.get(digest, Path(path).stem))
        if digest not in names:
            break
    return found


def precision_of(record: Mapping) -> str:
    """Give the precision that a network was trained in, as its record says.

    Each attempt says which it took; records of before November 2026 have what was asked for alone.
    """
    return record.get("attempts", [{}])[-1].get("precision", record["params"]["precision"])


def _is_weights(name: str) -> bool:
    return name.endswith(".safetensors")


def _run_row(path: Path) -> dict:
    """Give what a training run's record says of it; what is not a number or a word as JSON.

    A run that was killed and went on has the commits of all its attempts, and began with the first.
    """
    known = json.loads(path.read_text(encoding="utf-8"))
    attempts = known.get("attempts", [known])
    known["commit"] = " ".join(dict.fromkeys(attempt["commit"] for attempt in attempts))
    known["dirty"] = any(attempt["dirty"] for attempt in attempts)
    known["started"] = attempts[0]["started"]
    row = {name: known["params"][name] for name in PARAMETERS} | {"precision": precision_of(known)}
    row |= {name: known[name] for name in FACTS}
    row |= {"train_shards": sum("/train/" in name for name in known["inputs"]), "torch": known["versions"]["torch"]}
    return {name: json.dumps(item, sort_keys=True) if isinstance(item, dict) else item for name, item in row.items()}


def _means(group: pd.DataFrame, names: list[str]) -> dict:
    """Give the mean over seeds of each score with its interval: ``name, name_low, name_high``."""
    row = {"seeds": len(group)}
    for name in names:
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), mean_interval(group[name].to_numpy()), strict=True))
    return row


def network_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Tabulate every network of every experiment: scores with intervals over seeds, and costs.

    Parameters
    ----------
    scores
        ``models/experiments/scores.csv``: a row per experiment, network and seed.

    Returns
    -------
    DataFrame
        ``experiment, network, seeds``; of each score its mean, ``_low`` and ``_high``; costs; and ``raw_psnr, raw_l1``
        of the distorted images.
    """
    rows = []
    for (experiment, network), group in scores.groupby(["experiment", "network"], sort=False):
        row = {"experiment": experiment, "network": network} | _means(group, SCORES)
        row |= {name: group[name].mean() for name in [*COSTS, "raw_psnr", "raw_l1"]}
        rows.append(row)
    return pd.DataFrame(rows)


def ablation_table(scores: pd.DataFrame, network: str) -> pd.DataFrame:
    """Tabulate what each change of the loss changes: paired differences from the whole loss, seed by seed.

    Parameters
    ----------
    scores
        As for :func:`network_table`.
    network
        The network of the experiment ``networks`` that was trained with the whole loss.

    Returns
    -------
    DataFrame
        ``change`` and, of each score, the mean difference with ``_low`` and ``_high``.
    """
    whole = scores[(scores["experiment"] == "networks") & (scores["network"] == network)].set_index("seed")
    rows = []
    for change, group in scores[scores["experiment"] == "ablation"].groupby("network", sort=False):
        difference = (group.set_index("seed")[SCORES] - whole[SCORES]).dropna()
        row = {"change": change, "seeds": len(difference)}
        for name in SCORES:
            ends = mean_interval(difference[name].to_numpy()) if len(difference) else (np.nan,) * 3
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
        rows.append(row)
    return pd.DataFrame(rows)


def distortion_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Tabulate networks that learned right and wrong chains, under each condition, with intervals over seeds.

    Parameters
    ----------
    scores
        ``models/experiments/distortions.csv``: a row per condition, network (the chain that it learned, or ``raw``) and
        seed.

    Returns
    -------
    DataFrame
        ``condition, network, seeds`` and, of each of :data:`JUDGED`, its mean with ``_low`` and ``_high``.
    """
    groups = scores.groupby(["condition", "network"], sort=False)
    return pd.DataFrame(
        [{"condition": condition, "network": network} | _means(group, JUDGED) for (condition, network), group in groups]
    )


def change_table(scores: pd.DataFrame, right: str, shows: Mapping[str, str]) -> pd.DataFrame:
    """Tabulate what each wrong chain changes where its fault shows: paired differences from the right one.

    Parameters
    ----------
    scores
        As for :func:`distortion_table`.
    right
        The right chain.
    shows
        Condition -> the chain whose fault it shows. Chains that were not trained are left out.

    Returns
    -------
    DataFrame
        ``condition, network, seeds``; of each of :data:`JUDGED` the mean difference, wrong less right, of ``lag`` that
        of its size; and ``l1_ratio``, wrong over right (a geometric mean); all with ``_low`` and ``_high``.
    """
    known = scores.assign(lag=scores["lag"].abs()).set_index(["condition", "network", "seed"]).sort_index()
    rows = []
    for condition, network in shows.items():
        if (condition, network) in known.index.droplevel("seed"):
            wrong, other = known.loc[condition, network], known.loc[condition, right]
            difference = (wrong - other)[JUDGED].assign(ratio=np.log(wrong["l1"] / other["l1"])).dropna(how="all")
            row = {"condition": condition, "network": network} | _means(difference, JUDGED)
            ends = np.exp(mean_interval(difference["ratio"].to_numpy()))
            rows.append(row | dict(zip(("l1_ratio", "l1_ratio_low", "l1_ratio_high"), ends, strict=True)))
    return pd.DataFrame(rows)


def resolution_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Tabulate one network for high and low resolution against one for each.

    Parameters
    ----------
    scores
        ``models/experiments/resolution.csv``: a row per modality, half of the doses, network and seed.

    Returns
    -------
    DataFrame
        ``modality, dose, network, seeds, median_dose``; of PSNR, SSIM and L1 the mean with ``_low`` and ``_high``; and
        ``gain``, PSNR less that of the network ``together`` with the same seed [dB].
    """
    together = scores[scores["network"] == "together"].set_index(["modality", "dose", "seed"])["psnr"]
    places = pd.MultiIndex.from_frame(scores[["modality", "dose", "seed"]])
    scores = scores.assign(gain=scores["psnr"].to_numpy() - together.reindex(places).to_numpy())
    scores.loc[scores["network"] == "raw", "gain"] = np.nan
    return pd.DataFrame(
        [
            dict(zip(("modality", "dose", "network"), key, strict=True))
            | {"median_dose": group["median_dose"].iloc[0]}
            | _means(group, ["psnr", "ssim", "l1", "gain"])
            for key, group in scores.groupby(["modality", "dose", "network"], sort=False)
        ]
    )


def annotation_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Tabulate how far networks change annotated and cropped pixels, and others, over the truth's maximum.

    Parameters
    ----------
    scores
        Of ``score_annotations.py``: a row per experiment, network and seed.

    Returns
    -------
    DataFrame
        ``experiment, network, seeds``; of each of :data:`KEPT` the mean with ``_low`` and ``_high``.
    """
    groups = scores.groupby(["experiment", "network"], sort=False)
    return pd.DataFrame(
        [
            {"experiment": experiment, "network": network} | _means(group, KEPT)
            for (experiment, network), group in groups
        ]
    )
