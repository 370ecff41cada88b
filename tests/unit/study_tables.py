"""Small tables like the study's, with values that can be reduced by hand; of the report's tests and the numbers'.

Unless a maker says otherwise, intervals reach 3 % (HALF) of the value to either side.
"""

import itertools

import numpy as np
import pandas as pd

HALF = 0.03
#: of recordings and of the audit
DOSES, AUDITED = (500, 5000, 50000), (50, 500, 50000)
CHAINS = ("poisson", "scanned")
#: Error in raw images over that in restored ones, per dose and with shot noise alone; twice as much when distorted.
GAINS = (0.5, 4.0, 1.0)
#: Restored error per dose; of the particle half as much.
RESTORED = {"position": (8.0, 4.0, 2.0), "position_drift": (6.0, 3.0, 1.5), "scs": (10.0, 5.0, 2.0)}


def with_interval(name, value, half=HALF):
    """Give a value and its interval as columns NAME, NAME_low, NAME_high; without a name: value, low, high."""
    ends = ("value", "low", "high") if not name else (name, f"{name}_low", f"{name}_high")
    return dict(zip(ends, (value, *sorted((value * (1 - half), value * (1 + half)))), strict=True))


def realistic():
    """Errors of the dislocation (raw ones ten times as large outside the core), of the particle and of a third."""
    rows = []
    fields = ("dislocation", "particle", "disordered_small")
    for specimen, chain, (place, dose) in itertools.product(fields, CHAINS, enumerate(DOSES)):
        common = {"specimen": specimen, "sampling": chain, "dose": dose}
        for quantity, errors in RESTORED.items():
            unit = {"unit": "%" if quantity == "scs" else "pm", "quantity": quantity}
            restored = errors[place] / (2 if specimen == "particle" else 1)
            raw = restored * GAINS[place] * (2 if chain == "scanned" else 1)
            regions = {"all": 10, "core": 1} if specimen == "dislocation" else {"all": 1}
            for region, factor in regions.items():
                here = common | unit | {"region": region}
                rows.append(here | {"method": "raw_ls"} | with_interval("", factor * raw))
                rows.append(here | {"method": "published_ls"} | with_interval("", restored))
            parts = {} if quantity == "position_drift" else {"bias": 0.6, "std": 0.8, "rmse": 1.0}
            for (ending, part), region in itertools.product(parts.items(), regions):
                here = common | unit | {"region": region, "quantity": f"{quantity}_{ending}", "crlb": restored / 2}
                rows.append(here | {"method": "raw_ls"} | with_interval("", part * raw))
                rows.append(here | {"method": "published_ls"} | with_interval("", part * restored))
    return pd.DataFrame(rows)


def departures():
    """Gains in PSNR [dB] of two views, and slopes at the core and of displaced columns."""
    rows = []
    for place, dose in enumerate(AUDITED):
        common = {"dose": dose, "sampling": "poisson", "quantity": "psnr_gain"}
        rows.append(
            common | {"specimen": "film", "sampling": "scanned", "method": "published"} | with_interval("", 50.0)
        )
        for specimen, gain in (("film", 6.0), ("overlapping", -1.0)):
            mine = common | {"specimen": specimen}
            rows.append(mine | {"method": "published"} | with_interval("", gain + place))
            rows.append(mine | {"method": "bm3d"} | with_interval("", 30.0))
            rows.append(mine | {"method": "published", "quantity": "psnr"} | with_interval("", 40.0))
    for specimen, chain in (("dislocation", "poisson"), ("dislocation", "scanned"), ("disordered_small", "scanned")):
        for place, dose in enumerate(DOSES):
            common = {"specimen": specimen, "sampling": chain, "dose": dose, "quantity": "slope"}
            rows.append(common | {"method": "published_ls"} | with_interval("", (0.2, 0.6, 0.9)[place]))
            rows.append(common | {"method": "raw_ls"} | with_interval("", 1.0))
    return pd.DataFrame(rows)


def counts(wrong=0.2):
    """Shares of 25 columns counted right, intervals ± 0.04: by library raw 0.4 and 0.8, restored 0.8 at both doses.

    ``wrong`` is the share that restored images have wrong at the lowest dose.
    """
    rows = []

    def row(chain, dose, method, route, right, n):
        ends = {"right": right, "right_low": right - 0.04, "right_high": right + 0.04, "n": n}
        rows.append({"sampling": chain, "dose": dose, "method": method, "route": route} | ends)

    for chain, (dose, raw, restored) in itertools.product(CHAINS, ((500, 0.4, 1 - wrong), (50000, 0.8, 0.8))):
        for route, less in (("library", 0.0), ("mixture", 0.3)):
            row(chain, dose, "raw_ls", route, raw - less, 75)
            row(chain, dose, "raw_ml", route, 0.5, 75)
            row(chain, dose, "published_ls", route, restored - less, 75)
    for method, route in itertools.product(("raw_ls", "raw_ml", "published_ls"), ("library", "mixture")):
        row("clean", np.inf, method, route, 0.9 if method == "raw_ml" else 0.7, 25)
    return pd.DataFrame(rows)


def circuits():
    """Closures [Å] of three circuits about a vector of 2 Å along x: some cannot be walked, some close otherwise."""
    nothing = (np.nan, np.nan)
    closures = {
        ("raw", "poisson", 500): (nothing, nothing, nothing),
        ("raw", "poisson", 50000): ((2.0, 0.0), nothing, nothing),
        ("raw", "scanned", 500): (nothing, nothing, nothing),
        ("raw", "scanned", 50000): (nothing, nothing, nothing),
        ("published", "poisson", 500): (nothing, nothing, nothing),
        ("published", "poisson", 50000): ((2.0, 0.0), (-1.9, 0.0), (1.9, 0.18)),  # the last off by 0.206
        ("published", "scanned", 500): (nothing, (3.0, 0.0), nothing),
        ("published", "scanned", 50000): ((2.0, 0.0), (-2.0, 0.1), (0.0, 2.0)),
    }
    return pd.DataFrame(
        {
            "method": method,
            "sampling": chain,
            "dose": dose,
            "realisation": place,
            "closure_x": closure[0],
            "closure_y": closure[1],
        }
        for (method, chain, dose), some in closures.items()
        for place, closure in enumerate(some)
    )


def library():
    """Cross sections [Å²] that grow by 2 and then by 1.5."""
    return pd.DataFrame({"atoms": [1, 2, 3], "scs": [1.0, 2.0, 3.0], "scs_se": [0.03, 0.04, 0.03], "configurations": 8})


def blind(recall=(0.2, 0.8)):
    """Columns found at either end of the doses: at the lowest shares of ``recall`` in raw and in restored images."""
    rows = []
    for dose, found in ((500, recall), (50000, (0.9, 0.9))):
        for method, share in zip(("raw", "published"), found, strict=True):
            row = {"dose": dose, "method": method, "known_position": 5.0, "known_scs": 4.0}
            row |= with_interval("recall", share) | with_interval("precision", 0.5 if share else np.nan)
            rows.append(row | with_interval("position", 4.0 if share else np.nan))
    return pd.DataFrame(rows)


def bounds(doses=AUDITED, std=0.5, worst=3.0, van_trees=0.8):
    """Errors on Gaussian columns whose Cramér-Rao bound is 10 pm, displaced by 0, 5 and 20 pm.

    The van Trees bound is ``van_trees`` times the displacement; a curve of it goes on to 30 pm. Restored images
    scatter ``std`` times the Cramér-Rao bound on the perfect lattice; displaced by 20 pm, their columns err by
    ``worst`` times the bound.
    """
    rows = []
    for dose in doses:
        exact = {"experiment": "bound", "dose": dose, "method": "bound"}
        rows.append(exact | {"quantity": "crlb", "prior": 0.0, "value": 10.0})
        for width in (0.0, 5.0, 12.0, 20.0, 30.0):
            rows.append(exact | {"quantity": "van_trees", "prior": width, "value": van_trees * width})
            rows.append(exact | {"quantity": "lattice_site", "prior": width, "value": width})
        for method, share, own, errors in (
            ("raw_ls", 1.3, 1.0, (13.0, 17.0)),
            ("published_ls", std, 0.1, (4.4, 10 * worst)),
        ):
            mine = {"dose": dose, "method": method, "experiment": "prior", "prior": 0.0}
            still = {"std": 10 * share, "rmse": 11 * share, "bias": 4.0}
            rows += [mine | {"quantity": quantity} | with_interval("", value) for quantity, value in still.items()]
            moved = {"biased_bound": 4.0, "own": own, "neighbours": 1 - own}
            mine["experiment"] = "response"
            rows += [mine | {"quantity": quantity} | with_interval("", value) for quantity, value in moved.items()]
            for width, error in zip((5.0, 20.0), errors, strict=True):
                mine |= {"experiment": "prior", "prior": width}
                rows.append(mine | {"quantity": "rmse"} | with_interval("", error))
                rows.append(mine | {"quantity": "slope"} | with_interval("", own))
    return pd.DataFrame(rows)


def averaging():
    """Shares of squared bias: in raw images none, their intervals ± 0.1, in restored ones a quarter or a half."""
    rows = []
    for specimen, chain, region, (place, dose) in itertools.product(
        ("dislocation", "particle"), CHAINS, ("all", "core"), enumerate((50000, 500))
    ):
        common = {"specimen": specimen, "sampling": chain, "region": region, "dose": dose}
        restored = (0.25, 0.5)[place] if (region, chain) == ("all", "poisson") else 0.9
        for method, quantity, share, half in (
            ("raw", "image", 0.01, 0.1),
            ("published", "image", restored, 0.1),
            ("raw_ls", "position", 0.0, 0.1),
            ("published_ls", "position", restored / 2, 0.1),
        ):
            row = common | {"method": method, "quantity": quantity}
            ends = {"share": share, "share_low": share - half, "share_high": share + half}
            rows.append(row | ends | {"images": 1.0})
            rows.append(row | {"images": np.inf, "share": 1.0, "share_low": 1.0, "share_high": 1.0})
    return pd.DataFrame(rows)


def resolution(pair=np.inf, truth=1.5):
    """Frequencies [Å⁻¹] at which correlations fall below 1/7; those of restored images at the highest dose as given."""
    falls = {("raw", "pair"): 1.2, ("raw", "truth_squared"): 1.25}
    falls |= {("published", "pair"): pair, ("published", "truth_squared"): truth}
    rows = []
    for (method, curve), first in falls.items():
        row = {"specimen": "dislocation", "sampling": "poisson", "method": method, "curve": curve}
        rows.append(row | {"threshold": "1/7", "dose": 50000, "first": first})
        others = {"dose": 500}, {"threshold": "1/2 bit"}, {"specimen": "particle"}, {"sampling": "scanned"}
        rows += [rows[-1] | other | {"first": 0.1} for other in others]
    return pd.DataFrame(rows)


def confidence(verdict="too sure"):
    """Verdicts on spreads: raw ones calibrated, restored positions as given, restored cross sections calibrated."""
    rows = []
    for specimen, chain, method in itertools.product(("dislocation", "particle"), CHAINS, ("raw_ls", "published_ls")):
        place = specimen == "particle"
        common = {"specimen": specimen, "sampling": chain, "dose": 5000, "method": method}
        said = verdict if method == "published_ls" else "calibrated"
        position = {"quantity": "position", "verdict": said, "ratio": (1.5, 1.4)[place], "spearman": (0.1, 0.4)[place]}
        rows.append(common | position)
        rows.append(common | {"quantity": "scs", "verdict": "calibrated", "ratio": 9.0, "spearman": -0.5})
    return pd.DataFrame(rows)


def features(doses=AUDITED):
    """Tables of what survives and of what is invented; with distortions all amplitudes are 7."""
    named = [("displaced along x", size) for size in (0.1, 0.3, 0.6)]
    others = ("vacant column", "half a column", "one atom missing", "interstitial column")
    named += [(name, 0.0) for name in (*others, "one atom of Z + 1", "one atom of Z + 10")]
    survival, invented = [], []
    restored = ("published", "trained", "honest")
    for dose, method, (place, (feature, size)) in itertools.product(
        doses, ("raw_ls", *(f"{name}_ls" for name in restored)), enumerate(named)
    ):
        row = {"sampling": "poisson", "dose": dose, "method": method, "feature": feature, "size": size}
        row |= with_interval("amplitude", 1.0 if method == "raw_ls" else place / 10)
        survival.append(row | with_interval("survived", 0.5) | {"mistaken": 0.25 if dose == min(doses) else 0.0})
        survival.append(survival[-1] | {"sampling": "scanned"} | with_interval("amplitude", 7.0))
    for dose, method, specimen in itertools.product(doses, ("raw", *restored), ("features", "film")):
        row = {"sampling": "poisson", "dose": dose, "method": method, "specimen": specimen}
        invented.append(row | with_interval("rate", 2.0 if method == "published" else 0.0))
    return pd.DataFrame(survival), pd.DataFrame(invented)


def priors(doses=AUDITED):
    """What our network does that is told 0, 0.5 and 1, and the published one: slopes of 0.4, 0.6, 0.8 and 0.5."""
    rows = []
    methods = [("trained", 0.0, 0.4), ("trained", 0.5, 0.6), ("trained", 1.0, 0.8), ("published", np.nan, 0.5)]
    for method, told, slope in methods:
        known = {"method": method, "disorder": told}
        for dose, width in itertools.product(doses, (0.0, 10.0, 20.0)):
            error = {"dose": dose, "width": width, "quantity": "rmse"} | with_interval("", width + 1)
            rows += [known | error, known | error | {"quantity": "scatter"} | with_interval("", width + 0.5)]
            rows.append(known | error | {"quantity": "shift"} | with_interval("", -0.25))
            if width:
                rows.append(known | error | {"quantity": "slope"} | with_interval("", slope))
        for dose, quantity in itertools.product(doses, ("vacancy", "half")):
            rows.append(known | {"dose": dose, "width": 0.0, "quantity": quantity} | with_interval("", 1 - slope))
        more = 2 if method == "published" else told
        images = {
            "psnr_ordered": 30 - more,
            "psnr_disordered": 28 + more,
            "gain_ordered": -more,
            "gain_disordered": more,
        }
        for quantity, psnr in images.items():
            rows.append(known | {"dose": np.nan, "width": np.nan, "quantity": quantity} | with_interval("", psnr))
    return pd.DataFrame(rows)


def versus_summary():
    """Verdicts on two specimens, 20 conditions each; counts of both are equal."""
    counts = {
        ("accuracy", "strong"): (15, 5, 4),
        ("accuracy", "honest"): (5, 2, 9),
        ("honesty", "strong"): (12, 10, 2),
        ("honesty", "honest"): (19, 12, 1),
    }
    return pd.DataFrame(
        {"kind": kind, "specimen": specimen, "method": method, "conditions": 20, "within": within, "closer": closer}
        | {"farther": farther, "least": 0.5, "middle": 1.0, "largest": 3.0}
        for (kind, method), (within, closer, farther) in counts.items()
        for specimen in ("dislocation", "particle")
    )


def models():
    """Two networks, the second of which began with the first."""
    row = {"modality": "hrstem", "chain": "stem_wide", "conditional": True, "optimiser": "muon", "learning_rate": 0.002}
    row |= {"batch": 16, "crop": 128, "hours": 2.25, "psnr_raw": 16.0, "psnr": 26.5, "parameters": 4_504_033}
    row |= {"share": 1.0, "dose_low": 0.3, "dose_high": 1000}
    row |= {"multiply_adds": 119e3, "commit": "0123456789abcdef", "started": "2024-05-01T12:00:00+00:00"}
    return pd.DataFrame(
        [
            row | {"network": "hrstem_first", "start": np.nan, "lattice": np.nan, "crops": 256000},
            row | {"network": "hrstem", "start": "hrstem_first", "share": 0.25, "lattice": "64, 128", "crops": 96000},
        ]
    )


def image_errors():
    """Errors of images two unit cells thick: raw ones three times those restored, in every realisation."""
    rows = itertools.product(("fine", "coarse"), range(3), (("raw", 3.0), ("published", 1.0)))
    return pd.DataFrame(
        {"sampling": sampling, "realisation": place, "method": method, "rmse": rmse, "dose": 500, "thickness": 2}
        for sampling, place, (method, rmse) in rows
    )


def experiments(seeds=(0, 1, 2)):
    """Scores of small networks: each better than the next by 1 dB, and every seed by 0.5 dB than the one before it.

    L1 falls with depth by 0.2, 0.1 and 0.1 of 1; filters have no cost and one score.
    """
    rows = []

    def add(experiment, network, psnr, l1, seed, cost=1.0):
        row = {"experiment": experiment, "network": network, "seed": seed, "psnr": psnr + 0.5 * seed, "l1": l1}
        row |= {"ssim": 0.8, "position_rmse": 5.0, "slope": 0.9, "scs_bias": 1.0, "parameters": cost, "crops": 32000}
        row |= {"multiply_adds": cost, "seconds": 0.1, "training_seconds": 60 * cost}
        rows.append(row | {"raw_psnr": 20.0, "raw_ssim": 0.3, "raw_l1": 0.1})

    for seed in seeds:
        for place, name in enumerate(("cgrdn", "grdn", "mrunet", "compact", "nafnet")):
            add("networks", name, 29.0 - place, 0.6, seed)
        for layers, l1 in ((1, 1.0), (2, 0.8), (3, 0.7)):
            add("depths", f"cgrdn_{layers}", 28.0, l1, seed)
        for change in ("without_l1", "with_adversarial"):
            add("ablation", change, 25.0, 0.6, seed)
    add("others", "published", 31.0, 0.5, 0)
    add("others", "bm3d", 25.0, 0.7, 0, np.nan)
    return pd.DataFrame(rows)


def runs():
    """What was trained, and when."""
    schedule = '{"crop": 64, "batch": 16}'
    row = {"modality": "hrstem", "schedule": schedule, "train_shards": 32, "torch": "2.13.0"}
    return pd.DataFrame([row | {"started": f"2024-05-0{day}T12:00:00+00:00"} for day in (2, 1)])


SHOWS = {
    "dwell_200_ns": "stem_wrong_fast_scan",
    "dwell_50_ns": "stem_wrong_fast_scan",
    "interpolated": "stem_wrong_interpolation",
    "jittered": "stem_wrong_jitter",
    "noisy_detector": "stem_wrong_detector",
}


def distortions_learned(seeds=(0, 1, 2)):
    """Scores under each condition: a wrong chain costs 2 dB and doubles L1; at 50 ns the right one has three times as
    much as elsewhere and the wrong one nine times.
    """
    rows = []
    for condition, wrong in SHOWS.items():
        for network, psnr, l1 in (("raw", 10.0, 0.4), ("stem", 20.0, 0.1), (wrong, 18.0, 0.2)):
            for seed in (0,) if network == "raw" else seeds:
                row = {"condition": condition, "network": network, "seed": seed, "psnr": psnr + 0.5 * seed}
                harder = (9 if network == wrong else 3) if condition == "dwell_50_ns" else 1
                row |= {"ssim": 0.8, "l1": l1 * harder, "streaks": 0.02, "lag": -0.5}
                row |= {"jitter_x": 0.1, "jitter_y": 0.2, "position_rmse": np.nan if "int" in condition else 5.0}
                rows.append(row)
    return pd.DataFrame(rows)


def resolutions(seeds=(0, 1, 2)):
    """Networks apart gain 0.5 dB and a tenth of the L1 error at low doses and nothing at high ones."""
    rows = []
    for modality, dose, (network, gain), seed in itertools.product(
        ("hrstem", "lrstem"), ("low", "high"), (("apart_hr", 0.5), ("apart_lr", 0.5), ("together", 0.0)), seeds
    ):
        row = {"modality": modality, "dose": dose, "network": network, "seed": seed, "median_dose": 170.0}
        rows.append(
            row | {"psnr": 25 + seed + gain * (dose == "low"), "ssim": 0.8, "l1": 0.1 - 0.02 * gain * (dose == "low")}
        )
    return pd.DataFrame(rows)


def annotations(seeds=(0, 1, 2)):
    """Annotated pixels change by 2 %, cropped ones by 1 %, others by 5 %; of raw images neither of the first."""
    rows = [
        {"experiment": "networks", "network": "compact", "seed": seed, "annotated": 0.02, "cropped": 0.01}
        for seed in seeds
    ]
    rows.append({"experiment": "others", "network": "published", "seed": 0, "annotated": 0.04, "cropped": 0.02})
    rows.append({"experiment": "others", "network": "raw", "seed": 0, "annotated": 0.0, "cropped": 0.0})
    return pd.DataFrame(rows).assign(elsewhere=0.05)


def examples():
    """Two specimens; mean square errors of raw images are 100 times those restored, of BM3D 10 and 1000 times."""
    values = {"raw": (10.0, 10.0), "published": (30.0, 30.0), "bm3d": (20.0, 0.0)}
    return pd.DataFrame(
        {"specimen": place, "method": method, "psnr": psnr}
        for method, both in values.items()
        for place, psnr in enumerate(both)
    )


def benchmarks():
    """Scores of three images a condition, 0 to 2 dB apart; published ones exceed raw ones by 9, 10 and 11 dB.

    Ours exceed them by 1 dB; BM3D, of one modality, falls short of them by 4 dB. One lrsem pair is left out.
    """
    rows = []
    exceeds = {"raw": (0, 0, 0), "bm3d": (5, 6, 7), "published": (9, 10, 11), "trained": (10, 11, 12)}
    for split, modality in itertools.product(("validation", "development", "release"), ("hrstem", "lrsem")):
        for (method, more), image in itertools.product(exceeds.items(), range(3)):
            if method == "bm3d" and modality == "lrsem":
                continue
            row = {"set": "own" if split == "validation" else "authors", "split": split, "modality": modality}
            row |= {
                "method": method,
                "image": image + 3 * (split == "release"),
                "psnr": 20.0 + image + more[image],
                "ssim": 0.5,
                "l1": 0.1,
            }
            if (split, modality, image) == ("release", "lrsem", 2):
                row |= dict.fromkeys(("psnr", "ssim", "l1"), np.nan)
            rows.append(row)
    return pd.DataFrame(rows)


def costs():
    """Ours takes a thousandth of the published network's multiply-adds."""
    names = ("bm3d", "published", "trained")
    return pd.DataFrame({"method": names, "multiply_adds": (np.nan, 1e6, 1e3), "seconds": (3.0, 1.5, 0.1), "cores": 2})


def micrographs():
    """Two real micrographs, one restored by two networks, and a simulated one with its undistorted image."""
    common = {"along_x_se": 0.004, "along_y_se": 0.004, "residual": 0.4}
    rows = [
        ("hrstem", "particle", "published", 0.3, -0.1, 0.05),
        ("hrstem", "sparse", "published", 0.1, 0.2, 0.15),
        ("hrstem", "sparse", "trained", 0.1, -0.2, 0.15),
        ("lrstem", "simulated", "truth", 0.9, 0.9, np.nan),
        ("lrstem", "simulated", "published", 0.9, 0.9, np.nan),
    ]
    names = ["modality", "micrograph", "network", "along_x", "along_y", "mirror"]
    return pd.DataFrame(rows, columns=names).assign(**common)
