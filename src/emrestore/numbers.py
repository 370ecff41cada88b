"""The numbers that the report quotes, each from a table, under the key that prose and claims use."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from emrestore.stats import jackknife_interval, mean_interval

#: The classical measurement that restoration is held against: least squares on the raw image, as StatSTEM does.
RAW, RESTORED = "raw_ls", "published_ls"
#: A CGRDN of more parameters than this is one of full size.
FULL_SIZE = 7e6
#: Whose network a method's numbers are of.
NETWORKS = {
    name: of
    for method, of in (("published", "published"), ("trained", "trained"), ("honest", "trained"))
    for name in (method, f"{method}_ls")
}


def number(
    value: float, low: float | None = None, high: float | None = None, unit: str = "", of: str = "", **more: bool | str
) -> dict:
    """Make an entry of numbers.json: a value, its 95 % interval where it has one, unit and network.

    ``more`` may say ``exact`` (no chance has a part in it) and ``incomparable``, why no claim of the papers is held
    against it.
    """
    entry = {"value": float(value), "unit": unit, "network": of} | more
    if low is not None:
        entry |= {"ci_low": float(low), "ci_high": float(high)}
    return entry


def of_our_network(function: Callable[..., dict[str, dict]], *tables: pd.DataFrame) -> dict[str, dict]:
    """Give the numbers that a function gives of the published network, of ours: under the same keys with ``.trained``.

    Our network, as it believes in lattices most, stands in the published one's place in each table; nothing is given
    where it is in none.
    """
    if not any(table["method"].isin(["trained", "trained_ls"]).any() for table in tables):
        return {}
    others = [table[~table["method"].isin(["published", RESTORED])] for table in tables]
    names = {"trained": "published", "trained_ls": RESTORED}
    found = function(*(table.assign(method=table["method"].replace(names)) for table in others))
    return {
        f"{key}.trained": entry | {"network": "trained"}
        for key, entry in found.items()
        if entry["network"] == "published"
    }


def _log_errors(rows: pd.DataFrame, name: str) -> np.ndarray:
    """Half widths of the 95 % intervals on the logarithmic scale."""
    return np.log(rows[f"{name}_high"].to_numpy() / rows[f"{name}_low"].to_numpy()) / 2


def geometric_mean_ratio(over: np.ndarray, under: np.ndarray, half_over: np.ndarray, half_under: np.ndarray) -> tuple:
    """Give the geometric mean over conditions of a ratio of standard deviations, with its 95 % interval.

    Parameters
    ----------
    over, under
        (n,) numerators and denominators; ``half_over`` and ``half_under`` their intervals' half widths in logarithm.

    Returns
    -------
    value, low, high : float
        Errors of numerator and denominator are taken as independent, which is conservative where both were measured in
        the same noisy images, and as independent between conditions, whose noise is.
    """
    middle = np.log(over / under).mean()
    half = np.sqrt((half_over**2 + half_under**2).sum()) / len(over)
    return np.exp(middle), np.exp(middle - half), np.exp(middle + half)


def _over(rows: pd.DataFrame, statistic: str, exact: str) -> tuple:
    """Give the geometric mean of a statistic over a quantity that has no error, such as the bound."""
    return geometric_mean_ratio(
        rows[statistic].to_numpy(), rows[exact].to_numpy(), _log_errors(rows, statistic), np.zeros(len(rows))
    )


def fig03_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Reduce the table of Fig. 3 to the numbers that its claims and the report quote.

    For each pixel size (suffix ``.fine``, ``.coarse``) and over both (no suffix): geometric means over thicknesses.
    """
    doses = {"low": table["dose"].min(), "high": table["dose"].max()}
    found = {}
    scopes = {"": table} | {f".{name}": group for name, group in table.groupby("sampling")}
    for suffix, scope in scopes.items():
        gains = {}
        for dose_name, dose in doses.items():
            for quantity in ("position", "scs"):
                rows = scope[(scope["dose"] == dose) & (scope["quantity"] == quantity)]
                rows = rows.set_index(["sampling", "thickness"])
                raw, restored = (rows[rows["method"] == method].sort_index() for method in (RAW, RESTORED))
                gain_name = "gain_low_dose" if dose_name == "low" else "ratio_high_dose"
                gains[dose_name, quantity] = ratio = geometric_mean_ratio(
                    raw["std"].to_numpy(),
                    restored["std"].to_numpy(),
                    _log_errors(raw, "std"),
                    _log_errors(restored, "std"),
                )
                found[f"fig03.{quantity}_{gain_name}{suffix}"] = number(*ratio, of="published")
                for statistic in ("std", "rmse"):
                    for method, of in ((RAW, ""), (RESTORED, "published"), ("raw_ml", "")):
                        mine = rows[rows["method"] == method].sort_index()
                        ratio = _over(mine, statistic, "crlb")
                        name = {RAW: "raw", RESTORED: "restored", "raw_ml": "raw_ml"}[method]
                        kind = "over_crlb" if statistic == "std" else "rmse_over_crlb"
                        found[f"fig03.{quantity}_{name}_{kind}_{dose_name}_dose{suffix}"] = number(*ratio, of=of)
        for quantity, ending in (("position", ""), ("scs", "_scs")):
            low, high = gains["low", quantity], gains["high", quantity]
            half = np.hypot(np.log(low[2] / low[0]), np.log(high[2] / high[0]))
            trend = low[0] / high[0]
            ends = trend * np.exp([-half, half])
            found[f"fig03.gain_trend{ending}{suffix}"] = number(trend, *ends, of="published")
    for name, column, unit in (("thicknesses", "thickness", ""), ("samplings", "sampling", "")):
        found[f"fig03.{name}"] = number(table[column].nunique(), unit=unit)
    return found


def displaced_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Reduce the table of displaced columns: slopes, RMSE over the bound and over the error of the lattice sites."""
    doses = {"low": table["dose"].min(), "high": table["dose"].max()}
    found = {}
    for (specimen, method), group in table.groupby(["specimen", "method"]):
        of = NETWORKS.get(method, "")
        for dose_name, dose in doses.items():
            rows = group[group["dose"] == dose]
            stem = f"displaced.{specimen.removeprefix('displaced_')}.{method}"
            slopes = np.concatenate([rows["slope_x"], rows["slope_y"]])
            widths = np.concatenate(
                [rows["slope_x_high"] - rows["slope_x_low"], rows["slope_y_high"] - rows["slope_y_low"]]
            )
            half = np.sqrt((widths**2).sum()) / 2 / len(widths)
            middle = slopes.mean()
            found[f"{stem}.slope_{dose_name}_dose"] = number(middle, middle - half, middle + half, of=of)
            for statistic in ("std", "rmse"):
                ratio = _over(rows, statistic, "crlb")
                found[f"{stem}.{statistic}_over_crlb_{dose_name}_dose"] = number(*ratio, of=of)
            idle = _over(rows, "rmse", "displacement")
            found[f"{stem}.rmse_over_lattice_{dose_name}_dose"] = number(*idle, of=of)
    return found


def image_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Give the gain in image error at the thinnest and lowest-dose condition: RMSE raw over restored (Fig. 3e, f)."""
    thin = table[(table["dose"] == table["dose"].min()) & (table["thickness"] == table["thickness"].min())]
    wide = thin.pivot(index=["sampling", "realisation"], columns="method", values="rmse")
    ratio = np.log(wide["raw"] / wide["published"]).unstack("sampling").mean(axis=1).to_numpy()
    everything = ratio.mean()
    one_out = (ratio.sum() - ratio) / (len(ratio) - 1)
    low, high = jackknife_interval(everything, one_out)
    return {"fig03.image_gain_thinnest_low_dose": number(*np.exp([everything, low, high]), of="published")}


def network_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Give parameter counts, what CGRDN has more than GRDN, and how many times theirs MR-UNET has.

    ``network.discriminator_edge`` is that of its output for a training patch, ``_field`` its receptive field [px].
    """
    table = table.set_index("network")
    found = {
        f"network.discriminator_{name}": number(table.loc["discriminator", name], unit="px", exact=True)
        for name in ("edge", "field")
    }
    counts = table["parameters"].to_dict()
    counts["difference"] = counts["cgrdn"] - counts["grdn"]
    for name in ("cgrdn", "grdn"):
        counts[f"mrunet_over_{name}"] = counts["mrunet"] / counts[name]
    read = {"incomparable": "the paper leaves sizes of MR-UNET open"}
    return found | {
        f"network.parameters_{name}": number(count, exact=True, **read if "mrunet" in name else {})
        for name, count in counts.items()
    }


def example_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Give how many times the published network's mean square error others have on the examples (geometric mean).

    Intervals are Student's over the examples' logarithms.
    """
    squares = table.pivot(index="specimen", columns="method", values="psnr") / -10 * np.log(10)
    over = squares.sub(squares["published"], axis=0).drop(columns="published")
    return {
        f"examples.{name}_over_published": number(*np.exp(mean_interval(log.to_numpy())), of="published")
        for name, log in over.items()
    }


def micrograph_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Give, for each network, the ends over real micrographs of what can be checked without a truth."""
    real = table[table["micrograph"] != "simulated"]
    found = {"micrographs.real": number(real["micrograph"].nunique())}
    for network, rows in real.groupby("network"):
        stem, of = f"micrographs.{network}", network
        for name in ("along_x", "along_y", "mirror"):
            found[f"{stem}.{name}_least"] = number(rows[name].min(), of=of)
            found[f"{stem}.{name}_largest"] = number(rows[name].max(), of=of)
        found[f"{stem}.larger_along_x"] = number((rows["along_x"] > rows["along_y"]).sum(), of=of)
        found[f"{stem}.follows"] = number((rows["along_y"] < -3 * rows["along_y_se"]).sum(), of=of)
    return found


def experiment_numbers(scores: pd.DataFrame) -> dict[str, dict]:
    """Reduce the scores of trained networks to differences between them, seed by seed, and of filters beside them.

    Intervals are Student's over seeds: networks of one seed saw the same crops, and all are scored on the same images.

    Parameters
    ----------
    scores
        ``models/experiments/scores.csv``.
    """
    known = scores.set_index(["experiment", "network", "seed"]).sort_index()
    trained, others = known.loc["networks"], known.loc["others"].droplevel("seed")
    found = {"experiments.seeds": number(len(trained.index.unique("seed")))}
    found["experiments.crops"] = number(trained["crops"].iloc[0])
    found["experiments.raw_psnr"] = number(scores["raw_psnr"].iloc[0], unit="dB")

    # those of the paper are of networks at full size on its own validation images, which are not public
    full = trained.loc["cgrdn"]["parameters"].min() > FULL_SIZE
    reduced, elsewhere = {} if full else {"incomparable": "networks of reduced size"}, {"incomparable": "other images"}

    def over_seeds(key: str, values: pd.Series, unit: str = "", **more: str) -> None:
        found[f"experiments.{key}"] = number(*mean_interval(values.to_numpy()), unit, "trained", **more)

    for name in trained.index.unique("network"):
        own = trained.loc[name]
        over_seeds(f"{name}.psnr", own["psnr"], "dB", **elsewhere)
        found[f"experiments.{name}.parameters"] = number(own["parameters"].iloc[0])
        found[f"experiments.{name}.minutes"] = number(own["training_seconds"].mean() / 60, unit="min")
    for one, other in (("cgrdn", "grdn"), ("grdn", "mrunet"), ("cgrdn", "compact"), ("nafnet", "compact")):
        over_seeds(f"{one}_over_{other}", trained.loc[one]["psnr"] - trained.loc[other]["psnr"], "dB", **reduced)
    for name in others.index:
        of = "published" if name == "published" else ""
        found[f"experiments.{name}.psnr"] = number(others.loc[name, "psnr"], unit="dB", of=of, **elsewhere)
    if {"bm3d", "published"} <= {*others.index}:
        margin = others.loc["published", "psnr"] - others.loc["bm3d", "psnr"]
        found["experiments.published_over_bm3d"] = number(margin, unit="dB", of="published", **elsewhere)
    l1 = _l1_of_depths(known)
    over_seeds("l1_smallest_over_largest", l1.iloc[0] / l1.iloc[-1])
    drops = -l1.diff().iloc[1:]
    out = [drops.drop(columns=seed) if len(drops.columns) > 1 else drops for seed in drops]
    flat, one_out = (np.array([d.iloc[-1].mean() / d.iloc[0].mean() for d in group]) for group in ([drops], out))
    ends = jackknife_interval(flat[0], one_out) if len(one_out) > 1 else (np.nan, np.nan)
    found["experiments.l1_last_drop_over_first"] = number(flat[0], *ends, of="trained")
    return found


def benchmark_numbers(summary: pd.DataFrame, costs: pd.DataFrame) -> dict[str, dict]:
    """Give means, gains and costs of the benchmarked methods, and in how many modalities each beats another.

    Parameters
    ----------
    summary
        Of :func:`emrestore.benchmarks.summary`.
    costs
        ``method, multiply_adds, seconds, cores``.

    Returns
    -------
    dict
        ``benchmarks.SPLIT.MODALITY.METHOD.psnr`` and ``.ssim``, ``.over_raw`` and ``.over_published`` (differences in
        PSNR image by image [dB]); ``benchmarks.SPLIT.METHOD.`` ``modalities``, ``better_than_raw`` and ``_published``,
        ``worse_than_raw`` and ``_published``: numbers of modalities, of those counted whose whole interval lies on one
        side; ``least_over_raw`` and ``largest_over_raw``; ``benchmarks.METHOD.multiply_adds`` and ``.seconds``, on
        ``benchmarks.cores``.
    """
    left_out = summary.loc[(summary["method"] == "raw") & (summary["split"] != "all"), "left_out"].sum()
    found = {"benchmarks.left_out": number(left_out)}
    for (split, method), rows in summary.groupby(["split", "method"]):
        of = method if method in ("published", "trained") else ""
        stem = f"benchmarks.{split}.{method}"
        found[f"{stem}.modalities"] = number(len(rows))
        found[f"{stem}.images"] = number(rows["images"].max())
        for row in rows.to_dict("records"):
            place = f"benchmarks.{split}.{row['modality']}.{method}"
            for key, name, unit in (
                ("psnr", "psnr", "dB"),
                ("ssim", "ssim", ""),
                ("over_raw", "psnr_over_raw", "dB"),
                ("over_published", "psnr_over_published", "dB"),
            ):
                if not np.isnan(row[name]):
                    found[f"{place}.{key}"] = number(row[name], row[f"{name}_low"], row[f"{name}_high"], unit, of)
        for other in ("raw", "published"):
            if other != method:
                name = f"psnr_over_{other}"
                found[f"{stem}.better_than_{other}"] = number((rows[f"{name}_low"] > 0).sum(), of=of)
                found[f"{stem}.worse_than_{other}"] = number((rows[f"{name}_high"] < 0).sum(), of=of)
        if method != "raw":
            for end, place in (("least", rows["psnr_over_raw"].idxmin()), ("largest", rows["psnr_over_raw"].idxmax())):
                ends = rows.loc[place, ["psnr_over_raw", "psnr_over_raw_low", "psnr_over_raw_high"]]
                found[f"{stem}.{end}_over_raw"] = number(*ends, "dB", of)
    found["benchmarks.cores"] = number(costs["cores"].max())
    for row in costs.itertuples():
        of = row.method if row.method in ("published", "trained") else ""
        found[f"benchmarks.{row.method}.seconds"] = number(row.seconds, unit="s", of=of)
        if not np.isnan(row.multiply_adds):
            found[f"benchmarks.{row.method}.multiply_adds"] = number(row.multiply_adds, of=of)
    return found


def _l1_of_depths(known: pd.DataFrame) -> pd.DataFrame:
    """Give L1 of CGRDN by the layers of its RDBs, the deepest being the table's own network: (depths, seeds)."""
    series = known.loc["depths"]["l1"].unstack("seed")
    series.index = series.index.str.extract(r"_(\d+)$")[0].astype(int)
    series = series.sort_index()
    series.loc[series.index[-1] + 1] = known.loc["networks", "cgrdn"]["l1"]
    return series


def comparison_numbers(
    judged: pd.DataFrame,
    resolutions: pd.DataFrame,
    changes: pd.DataFrame,
    resolved: pd.DataFrame,
    annotations: pd.DataFrame,
    right: str,
) -> dict[str, dict]:
    """Say what networks lose that learned wrong distortions, gain by one resolution each, and do to annotations.

    Parameters
    ----------
    judged
        ``models/experiments/distortions.csv``: a row per condition, network and seed.
    resolutions
        ``models/experiments/resolution.csv``: a row per modality, half of the doses, network and seed.
    changes, resolved, annotations
        Tables of :mod:`emrestore.train.report`.
    right
        The right chain of distortions, by whose name ``judged`` calls the network that learned it.
    """
    found = {}

    def add(key: str, row: pd.Series, name: str, unit: str = "", of: str = "trained") -> None:
        found[key] = number(*row[[name, f"{name}_low", f"{name}_high"]], unit, of)

    units = {"psnr": "dB", "l1_ratio": "", "position_rmse": "pm", "lag": "px", "jitter_y": "px", "streaks": ""}
    for _, row in changes.iterrows():
        for name, unit in units.items():
            add(f"fig07.{row['condition']}.{name}", row, name, unit)
    error = np.log(judged.set_index(["condition", "network", "seed"])["l1"].sort_index())
    dwells = changes[changes["condition"].str.startswith("dwell")].set_index("condition")["network"]
    if {"dwell_50_ns", "dwell_200_ns"} <= {*dwells.index}:
        # wrong over right, as images of a short dwell time are harder for either
        short, long = (
            error.loc[name, dwells[name]] - error.loc[name, right] for name in ("dwell_50_ns", "dwell_200_ns")
        )
        found["fig07.dwell_trend"] = number(*np.exp(mean_interval((short - long).to_numpy())), of="trained")
    for _, row in resolved[resolved["network"].str.startswith("apart")].iterrows():
        # each network on its own resolution, hrstem or lrstem
        if row["network"].removeprefix("apart_") == row["modality"][:2]:
            add(f"resolution.{row['network']}_gain_{row['dose']}_dose", row, "gain", "dB")
    # of the common network over each resolution's own, on average over both
    error = np.log(resolutions.set_index(["network", "modality", "dose", "seed"])["l1"].sort_index())
    over = sum(error["together", name] - error[f"apart_{name[:2]}", name] for name in ("hrstem", "lrstem")) / 2
    found["resolution.common_over_apart"] = number(*np.exp(mean_interval(over.groupby("seed").mean())), of="trained")
    trend = over["low"] - over["high"]
    found["resolution.gain_trend"] = number(*np.exp(mean_interval(trend.to_numpy())), of="trained")
    for _, row in annotations[annotations["experiment"].isin(["networks", "others"])].iterrows():
        of = {"published": "published", "raw": ""}.get(row["network"], "trained")
        for name in ("annotated", "cropped", "elsewhere"):
            add(f"annotations.{row['network']}.{name}", row, name, of=of)
    return found


def distortion_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Say how well the distortions keep to theory: standard errors where chance decides, shares of bounds elsewhere.

    The interval of the root mean square comes from leaving out one effect at a time, since the rows of an effect share
    their noise.
    """
    chance, certain = table[table["random"]], table[~table["random"]]
    squares = (chance["residual"] ** 2).groupby(chance["effect"]).agg(["sum", "size"])
    one_out = np.sqrt((squares["sum"].sum() - squares["sum"]) / (squares["size"].sum() - squares["size"]))
    rms = np.sqrt(squares["sum"].sum() / squares["size"].sum())
    found = {
        "distortions.effects": number(table["effect"].nunique()),
        "distortions.comparisons_random": number(len(chance)),
        "distortions.comparisons_exact": number(len(certain)),
        "distortions.residual_rms": number(rms, *jackknife_interval(rms, one_out.to_numpy())),
        "distortions.residual_largest": number(chance["residual"].abs().max()),
        "distortions.bound_share_largest": number(certain["residual"].abs().max()),
    }
    shifts = certain[certain["statistic"].str.startswith("displacement")]
    found["distortions.shift_error"] = number((shifts["measured"] - shifts["theory"]).abs().max(), unit="px")
    return found


def generator_numbers(table: pd.DataFrame, draws: pd.DataFrame) -> dict[str, dict]:
    """Say how well what was drawn for clean images keeps to its ranges, and how often specimens were drawn again."""
    tested = table[~table["selected"]]
    again = draws.loc[draws["quantity"] == "drawn again", "value"]
    return {
        "generator.images": number(draws["image"].nunique()),
        "generator.tests": number(len(tested)),
        "generator.least_p": number(tested["p_value"].min()),
        "generator.redrawn": number(again.mean()),
    }


def realism_numbers(table: pd.DataFrame, powers: pd.DataFrame) -> dict[str, dict]:
    """Say how far sums of profiles agree with multislice: at worst, and at the second of the thicknesses."""
    nominal = np.sort(table["nominal"].unique())[1]
    middle = table[table["nominal"] == nominal]
    several = middle[middle["kinds"] > 1]
    power, error = powers.loc[powers["nominal"] == nominal, ["power", "power_se"]].to_numpy()[0]
    thin, thin_error = powers.sort_values("nominal")[["power", "power_se"]].to_numpy()[0]
    hidden = several[several["hidden"].notna()]
    found = {
        "crystals": number(table["crystal"].nunique()),
        "middle": number(nominal, unit="nm"),
        "scaled_correlation_least": number(table["scaled_correlation"].min()),
        "best_correlation_least": number(table["best_correlation"].min()),
        "factor_below_one": number((middle["scaled_factor"] < 1).sum()),
        "hidden": number(len(hidden)),
        "linearity_least": number(middle["linearity"].min()),
        "linearity_largest": number(middle["linearity"].max()),
        "power_thin": number(thin, thin - 1.96 * thin_error, thin + 1.96 * thin_error),
        "power_middle": number(power, power - 1.96 * error, power + 1.96 * error),
    }
    for ordering in ("power", "sorted"):
        found[f"{ordering}_below"] = number((middle[f"{ordering}_correlation"] < 0.9).sum())
        found[f"{ordering}_too_bright"] = number((several[f"{ordering}_ratio"] / several["ratio"]).median())
    return {f"realism.{key}": entry for key, entry in found.items()}


@np.errstate(divide="ignore", invalid="ignore")
def ratio_of(over: pd.DataFrame, under: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Give the logarithms of ratios of ``value`` and their half widths, from rows in the same order with intervals.

    Over a value of zero both are not finite, which claims do not compare and the report does not print.
    """
    half = np.hypot(*((rows["high"] - rows["low"]).to_numpy() / 2 / rows["value"].to_numpy() for rows in (over, under)))
    return np.log(over["value"].to_numpy() / under["value"].to_numpy()), half


@np.errstate(invalid="ignore")
def _mean_ratio(log: np.ndarray, half: np.ndarray) -> tuple:
    """Give the geometric mean of independent ratios with its interval."""
    middle, error = log.mean(), np.sqrt((half**2).sum()) / len(log)
    return tuple(np.exp([middle, middle - error, middle + error]))


@np.errstate(invalid="ignore")
def gains(raw: pd.DataFrame, restored: pd.DataFrame) -> dict[str, tuple]:
    """Reduce errors against dose to gains: raw over restored.

    Parameters
    ----------
    raw, restored
        Rows of one quantity, a row per dose in ascending order, with ``value, low, high``.

    Returns
    -------
    dict
        ``gain`` (geometric mean over doses), ``gain_lowest``, ``gain_highest``, ``gain_above_lowest`` (all doses but
        the lowest), ``gain_least`` (at the dose where it is smallest), ``gain_trend`` (lowest over highest), ``falls``
        (the restored error at the lowest over that at the highest dose), each with its interval. Errors of raw and
        restored images are taken as independent, which is conservative, as both are of the same recordings.
    """
    log, half = ratio_of(raw, restored)
    least = log.argmin()
    ends = (log[:1] - log[-1:], np.hypot(half[:1], half[-1:]))
    return {
        "gain": _mean_ratio(log, half),
        "gain_lowest": _mean_ratio(log[:1], half[:1]),
        "gain_highest": _mean_ratio(log[-1:], half[-1:]),
        "gain_above_lowest": _mean_ratio(log[1:], half[1:]),
        "gain_least": _mean_ratio(log[[least]], half[[least]]),
        "gain_trend": _mean_ratio(*ends),
        "falls": _mean_ratio(*ratio_of(restored.iloc[:1], restored.iloc[-1:])),
    }


def realistic_numbers(table: pd.DataFrame, slopes: pd.DataFrame) -> dict[str, dict]:
    """Reduce the tables of Figs 4 and 5: gains at the core and of the particle, and slopes."""
    found = {}
    for specimen, region in (("dislocation", "core"), ("particle", "all")):
        some = table[(table["specimen"] == specimen) & (table["region"] == region)]
        for (chain, quantity), group in some.groupby(["sampling", "quantity"]):
            if quantity not in ("position", "position_drift", "scs"):
                continue
            raw, restored = (group[group["method"] == method].sort_values("dose") for method in (RAW, RESTORED))
            for name, ends in gains(raw, restored).items():
                found[f"{specimen}.{chain}.{quantity}_{name}"] = number(*ends, of="published")
            for place, name in ((0, "lowest"), (-1, "highest")):
                for method, rows, of in (("raw", raw, ""), ("restored", restored, "published")):
                    row = rows.iloc[place]
                    found[f"{specimen}.{chain}.{quantity}_{method}_{name}"] = number(
                        row["value"], row["low"], row["high"], row["unit"], of
                    )
        gain = {chain: found[f"{specimen}.{chain}.position_gain"] for chain in some["sampling"].unique()}
        if {"poisson", "scanned"} <= set(gain):
            log = np.log([gain[chain]["value"] for chain in ("scanned", "poisson")])
            half = np.hypot(
                *(np.log(gain[chain]["ci_high"] / gain[chain]["value"]) for chain in ("scanned", "poisson"))
            )
            middle = log[0] - log[1]
            found[f"{specimen}.distortions_gain"] = number(
                *np.exp([middle, middle - half, middle + half]), of="published"
            )
    slopes = slopes[(slopes["quantity"] == "slope") & (slopes["method"] == RESTORED)]
    for (specimen, chain), group in slopes.groupby(["specimen", "sampling"]):
        group = group.sort_values("dose")
        for place, name in ((0, "lowest"), (-1, "highest")):
            row = group.iloc[place]
            found[f"slope.{specimen}.{chain}_{name}"] = number(row["value"], row["low"], row["high"], of="published")
    return found


def count_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Reduce the table of counted atoms: shares counted right, and what restoration gains, by the library's route."""
    table = table.rename(columns={"right": "value", "right_low": "low", "right_high": "high"})
    clean = table[np.isinf(table["dose"])]
    cut = "the particle was cut to have as many"
    found = {"counts.columns": number(clean["n"].max(), exact=True, incomparable=cut)}
    for (method, route), rows in clean.groupby(["method", "route"]):
        row = rows.iloc[0]
        found[f"counts.clean_{method}_{route}"] = number(row["value"], row["low"], row["high"])
    noisy = table[np.isfinite(table["dose"])]
    for chain, group in noisy.groupby("sampling"):
        for route, rows in group.groupby("route"):
            raw, restored = (rows[rows["method"] == method].sort_values("dose") for method in (RAW, RESTORED))
            for place, name in ((0, "lowest"), (-1, "highest")):
                for kind, some, of in (("raw", raw, ""), ("restored", restored, "published")):
                    row = some.iloc[place]
                    found[f"counts.{chain}.{route}_{kind}_{name}"] = number(
                        row["value"], row["low"], row["high"], of=of
                    )
            if route == "library":
                found[f"counts.{chain}.gain"] = number(*_mean_ratio(*ratio_of(restored, raw)), of="published")
                wrong = [some.iloc[:1].assign(value=1 - some["value"].iloc[:1]) for some in (raw, restored)]
                found[f"counts.{chain}.wrong_lowest"] = number(*_mean_ratio(*ratio_of(*wrong)), of="published")
    return found


def circuit_numbers(table: pd.DataFrame, length: float) -> dict[str, dict]:
    """Say in how many images, raw and of the published network, a circuit closes with the Burgers vector.

    ``burgers.CHAIN_PLACE`` is the share of all restored images in which the circuit can be walked and its closure
    differs from the Burgers vector by less than a tenth of its length, with Clopper and Pearson's interval;
    ``burgers.raw_CHAIN_PLACE`` that of raw ones. ``walked`` counts images in which it can be walked.

    Parameters
    ----------
    table
        ``method, sampling, dose, closure_x, closure_y`` [Å], a row per image; NaN where none can be walked.
    length
        Of the Burgers vector, which lies along x in either sense [Å].
    """
    found = {}
    for method, prefix, of in (("raw", "raw_", ""), ("published", "", "published")):
        for chain, group in table[table["method"] == method].groupby("sampling"):
            for place, name in ((table["dose"].min(), "lowest"), (table["dose"].max(), "highest")):
                rows = group[group["dose"] == place]
                off = np.hypot(rows["closure_x"].abs() - length, rows["closure_y"])  # NaN is not kept
                kept = int((off < 0.1 * length).sum())
                ends = binomtest(kept, len(rows)).proportion_ci(0.95)
                found[f"burgers.{prefix}{chain}_{name}"] = number(kept / len(rows), *ends, of=of)
                found[f"burgers.{prefix}{chain}_{name}_walked"] = number(off.notna().sum(), of=of)
                found[f"burgers.{prefix}{chain}_{name}_images"] = number(len(rows))
    return found


def library_numbers(library: pd.DataFrame, cross_sections: pd.DataFrame) -> dict[str, dict]:
    """Say whether cross sections grow with every atom: the smallest ratio to the next thinner, in each and either."""
    found = {}
    for name, scs, error in (
        ("library", library["scs"], library["scs_se"]),
        ("bulk", cross_sections["cell_scs"], cross_sections["cell_scs_se"]),
    ):
        log = np.diff(np.log(scs.to_numpy()))
        relative = (error / scs).to_numpy()
        half = 1.96 * np.hypot(relative[1:], relative[:-1])
        least = log.argmin()
        found[f"library.growth_{name}"] = number(*np.exp(log[least] + half[least] * np.array([0, -1, 1])))
    growths = [found["library.growth_library"], found["library.growth_bulk"]]
    found["library.growth_least"] = min(growths, key=lambda growth: growth["value"])
    step = np.diff(library["scs"]) / np.hypot(library["scs_se"][1:], library["scs_se"].to_numpy()[:-1])
    return found | {
        "library.least_step": number(step.min(), unit="standard errors"),
        "library.configurations": number(library["configurations"].iloc[0]),
        "library.atoms": number(library["atoms"].max()),
    }


def blind_numbers(specimen: str, table: pd.DataFrame) -> dict[str, dict]:
    """Reduce a table of the blind route: what is found at either end of the doses, and with what errors."""
    found = {}
    for dose, name in ((table["dose"].min(), "lowest"), (table["dose"].max(), "highest")):
        rows = table[table["dose"] == dose].set_index("method")
        for method, of in (("raw", ""), ("published", "published")):
            row, stem = rows.loc[method], f"blind.{specimen}.{method}"
            for key, unit in (("recall", ""), ("precision", ""), ("position", "pm")):
                found[f"{stem}_{key}_{name}"] = number(row[key], row[f"{key}_low"], row[f"{key}_high"], unit, of)
            found[f"{stem}_known_{name}"] = number(row["known_position"], unit="pm", of=of)
        raw, restored = (
            rows.loc[[method], ["recall", "recall_low", "recall_high"]].set_axis(["value", "low", "high"], axis=1)
            for method in ("raw", "published")
        )
        ratio = _mean_ratio(*ratio_of(raw, restored))
        if raw["value"].item() == 0 and restored["value"].item() > 0:  # which has no logarithm
            ratio = (0.0, 0.0, raw["high"].item() / restored["value"].item())
        found[f"blind.{specimen}.found_ratio_{name}"] = number(*ratio, of="published")
    return found


def bound_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Reduce the table of bounds: at each dose, errors on the perfect lattice and for displaced columns over bounds.

    Doses are called ``low``, ``high`` and, where there are more, ``middle``. The table has bounds for more widths of
    the prior than were measured: ``widths`` counts those that were, ``widest`` is the largest of them, and
    ``van_trees_least`` is the least error over the van Trees bound of all methods, doses and widths, with the interval
    of that error.
    """
    doses = np.sort(table["dose"].unique())
    names = {doses[0]: "low", doses[-1]: "high"} | {dose: "middle" for dose in doses[1:-1]}
    exact = table[table["experiment"] == "bound"].set_index(["dose", "quantity", "prior"])["value"]
    found, nearest = {}, []
    for (dose, method), rows in table[table["experiment"] != "bound"].groupby(["dose", "method"]):
        stem, of = f"bounds.{method}_{names[dose]}", NETWORKS.get(method, "")
        limit = exact[dose, "crlb", 0]
        rows = rows.set_index(["quantity", "prior"])
        for quantity in ("std", "rmse", "bias", "biased_bound"):
            ends = rows.loc[(quantity, 0), ["value", "low", "high"]] / limit
            found[f"{stem}.{quantity}"] = number(*ends, of=of)
        for quantity in ("own", "neighbours"):
            found[f"{stem}.{quantity}"] = number(*rows.loc[(quantity, 0), ["value", "low", "high"]], of=of)
        widths = [prior for quantity, prior in rows.index if quantity == "rmse" and prior > 0]
        better = both = 0
        for width in widths:
            row = rows.loc[("rmse", width), ["value", "low", "high"]]
            nearest.append(tuple(row / exact[dose, "van_trees", width]))
            better += row["value"] < limit
            both += row["value"] < min(limit, width)
            if width == max(widths):
                found[f"{stem}.rmse_widest"] = number(*(row / limit), of=of)
                found["bounds.widest"] = number(width, unit="pm")
        found[f"{stem}.below_crlb"] = number(better, of=of)
        found[f"{stem}.below_both"] = number(both, of=of)
        found["bounds.widths"] = number(len(widths))
    for dose, name in names.items():
        found[f"bounds.dose_{name}"] = number(dose, unit="e/Å²")
        found[f"bounds.crlb_{name}"] = number(exact[dose, "crlb", 0], unit="pm")
    found["bounds.van_trees_least"] = number(*min(nearest))
    return found


def averaging_numbers(table: pd.DataFrame, resolution: pd.DataFrame) -> dict[str, dict]:
    """Say how much of the squared error of an image is bias, how many conditions show one, and how far images agree.

    Shares are of single images with shot noise alone. ``frc`` are the frequencies at which the dislocation's rings
    first fall below 1/7 at the highest dose; infinite where they never do.
    """
    found = {}
    single = table[(table["images"] == 1) & (table["region"] == "all") & (table["sampling"] == "poisson")]
    for method, of in (("raw", ""), ("published", "published")):
        rows = single[(single["method"] == method) & (single["quantity"] == "image")]
        found[f"averaging.{method}_conditions"] = number(len(rows))
        found[f"averaging.{method}_biased"] = number((rows["share_low"] > 0).sum(), of=of)
        for specimen, group in rows.groupby("specimen"):
            for place, name in ((group["dose"].idxmin(), "lowest"), (group["dose"].idxmax(), "highest")):
                ends = group.loc[place, ["share", "share_low", "share_high"]]
                found[f"averaging.{specimen}_{method}_{name}"] = number(*ends, of=of)
    columns = single[(single["method"] == RESTORED) & (single["quantity"] != "image")]
    for (specimen, quantity), group in columns.groupby(["specimen", "quantity"]):
        for place, name in ((group["dose"].idxmin(), "lowest"), (group["dose"].idxmax(), "highest")):
            ends = group.loc[place, ["share", "share_low", "share_high"]]
            found[f"averaging.{specimen}_{quantity}_{name}"] = number(*ends, of="published")
    some = resolution[(resolution["specimen"] == "dislocation") & (resolution["sampling"] == "poisson")]
    some = some[(some["threshold"] == "1/7") & (some["dose"] == some["dose"].max())].set_index(["method", "curve"])
    for method, of in (("raw", ""), ("published", "published")):
        for curve in ("pair", "truth_squared"):
            found[f"frc.{method}_{curve}"] = number(some.loc[(method, curve), "first"], unit="Å⁻¹", of=of)
    return found


def confidence_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Count the conditions in which the spread over copies is calibrated, and say how well it ranks positions."""
    found = {}
    for (method, chain), rows in table.groupby(["method", "sampling"]):
        of = NETWORKS.get(method, "")
        stem = f"confidence.{method}_{chain}"
        found[f"{stem}.conditions"] = number(len(rows))
        for verdict in ("calibrated", "too sure", "too unsure"):
            found[f"{stem}.{verdict.replace(' ', '_')}"] = number((rows["verdict"] == verdict).sum(), of=of)
        positions = rows[rows["quantity"] == "position"]
        ranks = positions["spearman"]
        found[f"{stem}.spearman_least"] = number(ranks.min(), of=of)
        found[f"{stem}.spearman_largest"] = number(ranks.max(), of=of)
        found[f"{stem}.ratio_largest"] = number(positions["ratio"].max(), of=of)
    return found


def prior_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Give what our network does at either end of the disorder that it can be told, beside the published one.

    Keys are ``priors.strong``, ``.honest`` and ``.published`` with ``psnr_ordered``, ``psnr_disordered``, and
    ``gain_ordered`` and ``gain_disordered`` over the strong end, image by image; and for each dose (``low``,
    ``middle``, ``high``) ``rmse``, ``scatter`` and ``shift`` of columns in perfect order (``_perfect``) and displaced
    most (``_widest``), ``slope`` of those, ``vacancy`` and ``half``. A fourth dose is the ``highest``.
    """
    told = table.loc[table["method"] == "trained", "disorder"]
    ends = {told.min(): "strong", told.max(): "honest"}
    doses = np.sort(table["dose"].dropna().unique())
    names = ("_low", "_middle", "_high", "_highest") if len(doses) > 2 else ("_low", "_high")
    named = dict(zip(doses, names, strict=False))
    widest = table["width"].max()
    found = {"priors.widest": number(widest, unit="pm")}
    for dose, name in named.items():
        found[f"priors.dose{name}"] = number(dose, unit="e/Å²")
    for row in table[table["method"].isin(["trained", "published"])].itertuples():
        which = ends.get(row.disorder) if row.method == "trained" else row.method
        if which is None or (row.width not in (0, widest) and not np.isnan(row.width)):
            continue
        quantity = row.quantity
        unit = "dB" if quantity.startswith(("psnr", "gain")) else ""
        if quantity in ("rmse", "scatter", "shift"):
            quantity, unit = f"{quantity}_{'widest' if row.width else 'perfect'}", "pm"
        elif quantity == "slope" and row.width == 0:
            continue
        place = f"priors.{which}.{quantity}{named.get(row.dose, '')}"
        found[place] = number(row.value, row.low, row.high, unit, NETWORKS[row.method])
    return found


def feature_numbers(survival: pd.DataFrame, invented: pd.DataFrame) -> dict[str, dict]:
    """Say what of each feature survives under shot noise alone, at each dose, and the rates of phantoms.

    Doses are called ``below`` (the lowest, below what networks were trained on), ``low`` and ``high``.
    """
    found = {}
    doses = np.sort(survival["dose"].unique())
    names = dict(zip(doses[-3:], ("below", "low", "high")[-len(doses[-3:]) :], strict=True))
    for dose, name in names.items():
        found[f"features.dose_{name}"] = number(dose, unit="e/Å²")
    some = survival[(survival["sampling"] == "poisson") & survival["dose"].isin(list(names))]
    for row in some.itertuples():
        of = NETWORKS.get(row.method, "")
        size = f"_{round(100 * row.size)}" if row.size else ""
        feature = row.feature.replace(" ", "_").replace("+_", "")
        stem = f"features.{row.method}.{feature}{size}_{names[row.dose]}"
        found[f"{stem}.amplitude"] = number(row.amplitude, row.amplitude_low, row.amplitude_high, of=of)
        found[f"{stem}.survived"] = number(row.survived, row.survived_low, row.survived_high, of=of)
        found[f"{stem}.mistaken"] = number(row.mistaken, of=of)
    for (method, specimen, chain), rows in invented.groupby(["method", "specimen", "sampling"]):
        of = NETWORKS.get(method, "")
        for row in rows[rows["dose"].isin(list(names))].itertuples():
            stem = f"phantoms.{method}.{specimen}_{chain}_{names[row.dose]}"
            found[stem] = number(row.rate, row.rate_low, row.rate_high, "per 100 Å²", of)
    return found


def departure_numbers(table: pd.DataFrame) -> dict[str, dict]:
    """Give the gain in PSNR of the published network at each of the audit's doses, per specimen, shot noise alone."""
    found = {}
    some = table[
        (table["quantity"] == "psnr_gain") & (table["method"] == "published") & (table["sampling"] == "poisson")
    ]
    for specimen, rows in some.groupby("specimen"):
        for place, name in ((rows["dose"].idxmin(), "lowest"), (rows["dose"].idxmax(), "highest")):
            row = rows.loc[place]
            found[f"departures.{specimen}_{name}"] = number(row["value"], row["low"], row["high"], "dB", "published")
    return found
