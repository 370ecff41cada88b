"""Numbers of the realistic specimens and of the audit, from small tables, against what they are by hand.

Intervals of the tables reach HALF of the value to either side, so that a ratio of two has a half width of HALF √2 in
its logarithm, and a geometric mean of n such ratios HALF √(2 / n).
"""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import study_tables as made
from scipy.stats import t as student_t
from study_tables import HALF

from emrestore import numbers
from emrestore.benchmarks import summary
from emrestore.train.report import annotation_table, change_table, resolution_table

#: Tables hold nothing but a few digits: what is left is rounding.
EXACT = pytest.approx


def ends(entry):
    return entry["value"], entry["ci_low"], entry["ci_high"]


def ratio(value, half):
    """Give a ratio and its interval, symmetric in the logarithm."""
    return EXACT((value, value * np.exp(-half), value * np.exp(half)))


def interval(value, half=HALF):
    """Give a value and its interval as the tables have it."""
    return EXACT((value, value * (1 - half), value * (1 + half)))


@pytest.fixture(scope="module")
def realistic():
    return numbers.realistic_numbers(made.realistic(), made.departures())


def test_gains_are_of_the_core_and_over_the_doses_they_name(realistic):
    # raw over restored is 0.5, 4 and 1 at the core, and 5, 40 and 10 anywhere else
    stem = "dislocation.poisson.position_"
    assert ends(realistic[stem + "gain"]) == ratio(2 ** (1 / 3), HALF * np.sqrt(2 / 3))
    assert ends(realistic[stem + "gain_lowest"]) == ratio(0.5, HALF * np.sqrt(2))
    assert ends(realistic[stem + "gain_highest"]) == ratio(1, HALF * np.sqrt(2))
    assert ends(realistic[stem + "gain_above_lowest"]) == ratio(2, HALF)
    assert ends(realistic[stem + "gain_least"]) == ratio(0.5, HALF * np.sqrt(2))
    # a ratio of ratios, four errors in it
    assert ends(realistic[stem + "gain_trend"]) == ratio(0.5, 2 * HALF)
    # restored errors alone: 8 over 2
    assert ends(realistic[stem + "falls"]) == ratio(4, HALF * np.sqrt(2))
    assert ends(realistic["dislocation.poisson.scs_falls"]) == ratio(5, HALF * np.sqrt(2))
    assert realistic[stem + "gain"]["network"] == "published"


def test_errors_stand_beside_gains_in_their_unit(realistic):
    entry = realistic["dislocation.scanned.position_raw_lowest"]
    assert ends(entry) == interval(8)  # 8 restored x 0.5 x 2
    assert (entry["unit"], entry["network"]) == ("pm", "")
    entry = realistic["particle.poisson.scs_restored_highest"]
    assert ends(entry) == interval(1)
    assert (entry["unit"], entry["network"]) == ("%", "published")
    assert "particle.poisson.position_rmse_gain" not in realistic


def test_gain_from_undoing_distortions_is_a_ratio_of_gains(realistic):
    for specimen in ("dislocation", "particle"):
        assert ends(realistic[f"{specimen}.distortions_gain"]) == ratio(2, HALF * np.sqrt(4 / 3))
    table = made.realistic()
    alone = numbers.realistic_numbers(table[table["sampling"] == "poisson"], made.departures())
    assert "dislocation.distortions_gain" not in alone


def test_slopes_are_of_restored_images_at_either_end(realistic):
    for place in ("dislocation.poisson", "dislocation.scanned", "disordered_small.scanned"):
        assert ends(realistic[f"slope.{place}_lowest"]) == interval(0.2)
        assert ends(realistic[f"slope.{place}_highest"]) == interval(0.9)


def test_counted_shares_and_what_restoration_gains_of_them():
    found = numbers.count_numbers(made.counts())
    assert found["counts.columns"]["value"] == 25  # of the undistorted image, not of all recordings
    assert ends(found["counts.clean_raw_ml_library"]) == EXACT((0.9, 0.86, 0.94))
    assert ends(found["counts.scanned.library_raw_lowest"]) == EXACT((0.4, 0.36, 0.44))
    assert ends(found["counts.poisson.mixture_restored_highest"]) == EXACT((0.5, 0.46, 0.54))
    # right: 0.8 / 0.4 and 0.8 / 0.8; relative half widths of 0.04 are 0.1 and thrice 0.05
    assert ends(found["counts.poisson.gain"]) == ratio(np.sqrt(2), np.sqrt(0.1**2 + 3 * 0.05**2) / 2)
    # wrong at the lowest dose: 0.6 / 0.2
    assert ends(found["counts.poisson.wrong_lowest"]) == ratio(3, np.hypot(0.04 / 0.6, 0.04 / 0.2))


@pytest.mark.filterwarnings("error")
def test_nothing_counted_wrong_has_no_ratio():
    entry = numbers.count_numbers(made.counts(wrong=0))["counts.scanned.wrong_lowest"]
    assert entry["value"] == np.inf  # which claims do not compare


@pytest.mark.filterwarnings("error")
def test_burgers_vectors_are_kept_or_not():
    found = numbers.circuit_numbers(made.circuits(), 2.0)
    expected = {
        "raw_poisson_lowest": (0, 0),
        "raw_poisson_highest": (1, 1),
        "poisson_lowest": (0, 0),
        "poisson_highest": (3, 2),
        "scanned_lowest": (1, 0),
        "scanned_highest": (3, 2),  # a closure along y is none of the glide plane
    }
    for condition, (walked, kept) in expected.items():
        assert found[f"burgers.{condition}_walked"]["value"] == walked
        assert found[f"burgers.{condition}_images"]["value"] == 3
        assert found[f"burgers.{condition}"]["value"] == EXACT(kept / 3)
    # Clopper and Pearson: none of three has 1 - 0.025^(1/3) at most
    assert ends(found["burgers.poisson_lowest"]) == EXACT((0, 0, 1 - 0.025 ** (1 / 3)))
    assert found["burgers.raw_poisson_highest"]["network"] == ""


def test_growth_of_cross_sections_is_the_least_step():
    bulk = made.library().rename(columns={"scs": "cell_scs", "scs_se": "cell_scs_se"})
    bulk["cell_scs"] = [1.0, 0.9, 3.0]
    found = numbers.library_numbers(made.library(), bulk)
    # 3 / 2, standard errors of 1 and 2 %
    half = 1.96 * np.hypot(0.01, 0.02)
    assert ends(found["library.growth_library"]) == ratio(1.5, half)
    assert found["library.growth_bulk"]["value"] == EXACT(0.9)
    assert found["library.growth_least"] == found["library.growth_bulk"]
    # both steps are 1 Å², with errors of 0.03 and 0.04 Å²
    assert found["library.least_step"]["value"] == EXACT(20)
    assert (found["library.configurations"]["value"], found["library.atoms"]["value"]) == (8, 3)


def test_blind_route_names_what_is_found():
    found = numbers.blind_numbers("particle", made.blind())
    assert ends(found["blind.particle.raw_recall_lowest"]) == interval(0.2)
    assert ends(found["blind.particle.published_precision_highest"]) == interval(0.5)
    entry = found["blind.particle.published_position_lowest"]
    assert ends(entry) == interval(4)
    assert (entry["unit"], entry["network"]) == ("pm", "published")
    assert found["blind.particle.raw_known_highest"]["value"] == 5
    assert ends(found["blind.particle.found_ratio_lowest"]) == ratio(0.25, HALF * np.sqrt(2))
    assert ends(found["blind.particle.found_ratio_highest"]) == ratio(1, HALF * np.sqrt(2))


@pytest.mark.filterwarnings("error")
def test_columns_that_are_never_found_have_a_ratio_only_over_some():
    found = numbers.blind_numbers("particle", made.blind(recall=(0.0, 0.8)))
    assert ends(found["blind.particle.found_ratio_lowest"]) == (0, 0, 0)
    assert np.isnan(found["blind.particle.raw_position_lowest"]["value"])
    for recall in ((0.0, 0.0), (np.nan, 0.8)):
        entry = numbers.blind_numbers("particle", made.blind(recall=recall))["blind.particle.found_ratio_lowest"]
        assert np.isnan(ends(entry)).all()
    entry = numbers.blind_numbers("particle", made.blind(recall=(0.2, 0.0)))["blind.particle.found_ratio_lowest"]
    assert entry["value"] == np.inf


def test_numbers_of_our_network_stand_beside_those_of_the_published_one():
    published, ours = made.blind(recall=(0.2, 0.8)), made.blind(recall=(0.2, 0.4))
    ours = ours[ours["method"] == "published"].assign(method="trained")
    function = partial(numbers.blind_numbers, "particle")
    assert numbers.of_our_network(function, published) == {}
    found = numbers.of_our_network(function, pd.concat([published, ours]))
    assert ends(found["blind.particle.found_ratio_lowest.trained"]) == ratio(0.5, HALF * np.sqrt(2))
    assert {entry["network"] for entry in found.values()} == {"trained"}
    # what no network has to do with is not said again
    assert "blind.particle.raw_recall_lowest.trained" not in found
    assert {f"{key}.trained" for key in function(published) if "raw" not in key} == set(found)


def test_what_a_network_is_told():
    found = numbers.prior_numbers(made.priors())
    assert ends(found["priors.strong.slope_low"]) == interval(0.4)
    assert ends(found["priors.honest.vacancy_high"]) == interval(0.2)
    assert ends(found["priors.published.rmse_widest_middle"]) == interval(21)
    assert found["priors.strong.rmse_perfect_low"]["value"] == 1
    assert ends(found["priors.honest.scatter_widest_high"]) == interval(20.5)
    assert (found["priors.honest.shift_perfect_low"]["value"], found["priors.honest.shift_perfect_low"]["unit"]) == (
        -0.25,
        "pm",
    )
    assert (found["priors.honest.gain_ordered"]["value"], found["priors.widest"]["value"]) == (-1, 20)
    # what it does when told something between is in the figure alone
    assert {key.split(".")[1] for key in found} - {
        "widest",
        "dose_low",
        "dose_middle",
        "dose_high",
    } == {
        "strong",
        "honest",
        "published",
    }


def test_errors_over_bounds():
    found = numbers.bound_numbers(made.bounds())
    stem = "bounds.published_ls_low."
    assert ends(found[stem + "std"]) == interval(0.5)
    assert ends(found[stem + "rmse"]) == interval(0.55)
    assert ends(found[stem + "bias"]) == interval(0.4)
    assert ends(found[stem + "biased_bound"]) == interval(0.4)
    # responses are no errors, and over nothing
    assert ends(found[stem + "own"]) == interval(0.1)
    assert ends(found[stem + "neighbours"]) == interval(0.9)
    # of 5 and 20 pm, the larger
    assert ends(found[stem + "rmse_widest"]) == interval(3)
    # an error of 4.4 pm with displacements of 5 pm is below both, of 13 and 17 pm below neither
    for level in ("low", "middle", "high"):
        assert found[f"bounds.published_ls_{level}.below_crlb"]["value"] == 1
        assert found[f"bounds.published_ls_{level}.below_both"]["value"] == 1
        assert found[f"bounds.raw_ls_{level}.below_crlb"]["value"] == 0
        assert found[f"bounds.crlb_{level}"] == {"value": 10, "unit": "pm", "network": ""}
    # the widest that was measured, though bounds are given up to 30 pm
    assert found["bounds.widest"]["value"] == 20
    assert found["bounds.widths"]["value"] == 2
    # raw: 17 over 0.8 x 20; restored: 4.4 over 0.8 x 5 and 30 over 16
    assert ends(found["bounds.van_trees_least"]) == interval(17 / 16)
    assert [found[f"bounds.dose_{level}"]["value"] for level in ("low", "middle", "high")] == [50, 500, 50000]


def test_an_error_below_the_bound_need_not_be_below_the_displacement():
    # 6 pm: below the bound of 10, above what the sites would give for 5 pm
    table = made.bounds()
    here = (table["method"] == "published_ls") & (table["quantity"] == "rmse") & (table["prior"] == 5)
    table.loc[here, "value"] = 6.0
    found = numbers.bound_numbers(table)
    assert found["bounds.published_ls_low.below_crlb"]["value"] == 1
    assert found["bounds.published_ls_low.below_both"]["value"] == 0


def test_two_doses_have_no_middle():
    found = numbers.bound_numbers(made.bounds(doses=(5000, 50000)))
    assert {key for key in found if "middle" in key} == set()
    assert (found["bounds.dose_low"]["value"], found["bounds.dose_high"]["value"]) == (5000, 50000)


def test_shares_of_bias_are_of_single_images_with_shot_noise_alone():
    found = numbers.averaging_numbers(made.averaging(), made.resolution())
    assert ends(found["averaging.dislocation_published_lowest"]) == EXACT((0.5, 0.4, 0.6))
    assert ends(found["averaging.particle_published_highest"]) == EXACT((0.25, 0.15, 0.35))
    assert ends(found["averaging.dislocation_raw_lowest"]) == EXACT((0.01, -0.09, 0.11))
    assert ends(found["averaging.particle_position_lowest"]) == EXACT((0.25, 0.15, 0.35))
    # two specimens at two doses; a bias is there where the interval is above zero
    for method, biased in (("raw", 0), ("published", 4)):
        assert found[f"averaging.{method}_conditions"]["value"] == 4
        assert found[f"averaging.{method}_biased"]["value"] == biased


def test_resolutions_are_those_of_the_highest_dose():
    found = numbers.averaging_numbers(made.averaging(), made.resolution(pair=1.75))
    names = ("raw_pair", "raw_truth_squared", "published_pair", "published_truth_squared")
    assert [found[f"frc.{name}"]["value"] for name in names] == [1.2, 1.25, 1.75, 1.5]
    assert found["frc.raw_pair"]["unit"] == "Å⁻¹"
    never = numbers.averaging_numbers(made.averaging(), made.resolution(pair=np.inf))
    assert never["frc.published_pair"]["value"] == np.inf


def test_confidence_is_counted_by_verdict():
    found = numbers.confidence_numbers(made.confidence())
    verdicts = ("conditions", "calibrated", "too_sure", "too_unsure")
    for chain in made.CHAINS:
        # two specimens and two quantities; positions are too sure
        assert [found[f"confidence.published_ls_{chain}.{name}"]["value"] for name in verdicts] == [4, 2, 2, 0]
        assert [found[f"confidence.raw_ls_{chain}.{name}"]["value"] for name in verdicts] == [4, 4, 0, 0]
        # of positions alone: cross sections have a rank correlation of -0.5 and a ratio of 9
        stem = f"confidence.published_ls_{chain}."
        assert [found[stem + name]["value"] for name in ("spearman_least", "spearman_largest")] == [0.1, 0.4]
        assert found[stem + "ratio_largest"]["value"] == 1.5


def test_features_are_named_by_kind_size_and_dose():
    found = numbers.feature_numbers(*made.features())
    assert [found[f"features.dose_{name}"]["value"] for name in ("below", "low", "high")] == [50, 500, 50000]
    for name, amplitude in {"displaced_along_x_10": 0.0, "displaced_along_x_60": 0.2, "one_atom_of_Z_10": 0.8}.items():
        assert ends(found[f"features.published_ls.{name}_low.amplitude"]) == interval(amplitude)
        assert ends(found[f"features.published_ls.{name}_low.survived"]) == interval(0.5)
        assert ends(found[f"features.raw_ls.{name}_low.amplitude"]) == interval(1)
    assert found["features.published_ls.vacant_column_below.mistaken"]["value"] == 0.25
    assert found["features.published_ls.vacant_column_high.mistaken"]["value"] == 0
    entry = found["phantoms.published.film_poisson_below"]
    assert ends(entry) == interval(2)
    assert (entry["unit"], entry["network"]) == ("per 100 Å²", "published")


@pytest.mark.parametrize(("doses", "names"), [((500, 5000), ("low", "high")), ((500,), ("high",))])
def test_few_doses_have_none_below_the_training(doses, names):
    found = numbers.feature_numbers(*made.features(doses))
    assert {key.removeprefix("features.dose_") for key in found if key.startswith("features.dose")} == set(names)
    for name, dose in zip(names, doses, strict=True):
        assert found[f"features.dose_{name}"]["value"] == dose
        assert f"phantoms.raw.features_poisson_{name}" in found


def test_departures_are_gains_of_the_published_network_with_shot_noise_alone():
    found = numbers.departure_numbers(made.departures())
    assert set(found) == {
        f"departures.{name}_{end}" for name in ("film", "overlapping") for end in ("lowest", "highest")
    }
    entry = found["departures.film_lowest"]
    assert ends(entry) == interval(6)
    assert (entry["unit"], entry["network"]) == ("dB", "published")
    assert found["departures.film_highest"]["value"] == 8
    assert found["departures.overlapping_lowest"]["value"] == -1


def test_networks_are_compared_seed_by_seed():
    found = numbers.experiment_numbers(made.experiments())
    # the seeds' own differences cancel
    assert ends(found["experiments.cgrdn_over_grdn"]) == EXACT((1, 1, 1))
    # Student's t of two degrees of freedom over seeds 0.5 dB apart
    half = student_t.ppf(0.975, 2) * 0.5 / np.sqrt(3)
    assert ends(found["experiments.cgrdn.psnr"]) == EXACT((29.5, 29.5 - half, 29.5 + half))
    # the paper's are of other images, its differences of networks at full size
    assert found["experiments.cgrdn.psnr"]["incomparable"] == "other images"
    assert found["experiments.cgrdn_over_grdn"]["incomparable"] == "networks of reduced size"
    assert "incomparable" not in found["experiments.l1_smallest_over_largest"]
    full = made.experiments()
    full.loc[full["network"] == "cgrdn", "parameters"] = 7_035_521
    assert "incomparable" not in numbers.experiment_numbers(full)["experiments.cgrdn_over_grdn"]
    assert found["experiments.published_over_bm3d"]["value"] == EXACT(6)
    assert found["experiments.l1_smallest_over_largest"]["value"] == EXACT(1 / 0.6)
    # from 0.7 to 0.6, over from 1 to 0.8
    assert ends(found["experiments.l1_last_drop_over_first"]) == EXACT((0.5, 0.5, 0.5))


def test_one_seed_gives_numbers_without_intervals():
    found = numbers.experiment_numbers(made.experiments(seeds=(0,)))
    assert found["experiments.l1_last_drop_over_first"]["value"] == EXACT(0.5)
    assert np.isnan(ends(found["experiments.cgrdn.psnr"])[1:]).all()


def test_wrong_models_are_compared_seed_by_seed():
    judged = made.distortions_learned()
    changes, resolved = change_table(judged, "stem", made.SHOWS), resolution_table(made.resolutions())
    annotations = annotation_table(made.annotations())
    found = numbers.comparison_numbers(judged, made.resolutions(), changes, resolved, annotations, "stem")
    # 0.1 over 0.09 at low doses alone
    assert ends(found["resolution.gain_trend"]) == EXACT((10 / 9,) * 3)
    assert ends(found["resolution.common_over_apart"]) == EXACT((np.sqrt(10 / 9),) * 3)
    assert ends(found["fig07.dwell_200_ns.psnr"]) == EXACT((-2, -2, -2))
    assert ends(found["fig07.jittered.l1_ratio"]) == EXACT((2, 2, 2))
    assert ends(found["fig07.dwell_trend"]) == EXACT((3, 3, 3))
    assert np.isnan(found["fig07.interpolated.position_rmse"]["value"])
    assert ends(found["resolution.apart_lr_gain_low_dose"]) == EXACT((0.5, 0.5, 0.5))
    assert ends(found["resolution.apart_hr_gain_high_dose"]) == EXACT((0, 0, 0))
    assert found["annotations.published.annotated"]["value"] == EXACT(0.04)
    assert found["annotations.published.annotated"]["network"] == "published"
    assert ends(found["annotations.compact.cropped"]) == EXACT((0.01, 0.01, 0.01))


def test_benchmarks_are_compared_image_by_image():
    found = numbers.benchmark_numbers(summary(made.benchmarks()), made.costs())
    assert found["benchmarks.left_out"]["value"] == 1
    # gains of 9, 10 and 11 dB: a standard deviation of 1 over three images
    half = student_t.ppf(0.975, 2) / np.sqrt(3)
    assert ends(found["benchmarks.release.hrstem.published.over_raw"]) == EXACT((10, 10 - half, 10 + half))
    assert ends(found["benchmarks.validation.hrstem.bm3d.over_published"]) == EXACT((-4, -4, -4))
    assert "benchmarks.validation.hrstem.published.over_published" not in found
    counts = {key: found[f"benchmarks.validation.{key}"]["value"] for key in (
        "bm3d.modalities", "bm3d.worse_than_published", "trained.modalities", "trained.better_than_published",
        "published.better_than_raw", "published.worse_than_raw",
    )}  # fmt: skip
    assert list(counts.values()) == [1, 1, 2, 2, 2, 0]
    assert found["benchmarks.trained.multiply_adds"]["value"] == 1e3
    assert "benchmarks.bm3d.multiply_adds" not in found
    # with one image left out there are two: gains of 9 and 10 dB
    assert found["benchmarks.release.published.least_over_raw"]["value"] == EXACT(9.5)


def test_examples_are_compared_by_mean_square_error():
    found = numbers.example_numbers(made.examples())
    assert ends(found["examples.raw_over_published"]) == EXACT((100, 100, 100))
    # 10 and 1000 times: logarithms ± one decade about two, a standard error of one, Student's t of one
    half = student_t.ppf(0.975, 1) * np.log(10)
    assert ends(found["examples.bm3d_over_published"]) == ratio(100, half)
