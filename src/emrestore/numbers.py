"""The numbers that the report quotes, each from a table, under the key that prose and claims use."""

import numpy as np
import pandas as pd

from emrestore.stats import jackknife_interval

#: The classical measurement that restoration is held against: least squares on the raw image, as StatSTEM does.
RAW, RESTORED = "raw_ls", "published_ls"


def number(value: float, low: float | None = None, high: float | None = None, unit: str = "", of: str = "") -> dict:
    """Make an entry of numbers.json: a value, its 95 % interval where it has one, unit and network."""
    entry = {"value": float(value), "unit": unit, "network": of}
    if low is not None:
        entry |= {"ci_low": float(low), "ci_high": float(high)}
    return entry


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
        of = "published" if method == RESTORED else ""
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
    """Give the parameter counts, and what CGRDN has more than GRDN."""
    counts = dict(zip(table["network"], table["parameters"], strict=True))
    counts["difference"] = counts["cgrdn"] - counts["grdn"]
    return {f"network.parameters_{name}": number(count) for name, count in counts.items()}


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
        "power_middle": number(power, power - 1.96 * error, power + 1.96 * error),
    }
    for ordering in ("power", "sorted"):
        found[f"{ordering}_below"] = number((middle[f"{ordering}_correlation"] < 0.9).sum())
        found[f"{ordering}_too_bright"] = number((several[f"{ordering}_ratio"] / several["ratio"]).median())
    return {f"realism.{key}": entry for key, entry in found.items()}
