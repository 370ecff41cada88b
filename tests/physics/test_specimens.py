"""Random specimens: symmetry, distances, densities, orientation, cuts and defects, over hundreds of draws."""

import collections
import dataclasses

import numpy as np
import pytest
import spglib
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import cKDTree

from emrestore.errors import EmrestoreError
from emrestore.image.profiles import potential_radii
from emrestore.rng import stream
from emrestore.specimen import assemble, crystal, cuts, defects, disorder, orientation, packing
from emrestore.specimen.atoms import Atoms, Unplaceable
from emrestore.specimen.structure import Structure, fill

CRYSTALS = crystal.Ranges((1, 16), (1, 103), (1, 230), (3.1, 25.0), (45.0, 120.0), (0.95, 7.0))
GLASSES = packing.AmorphousRanges((1, 103), (2.0, 7.0), (0.95, 1.6), 20.0)
POINTS = packing.PointRanges((1, 16), (1, 103), (10, 1000), (1.0, 20.0))
AXES = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1], [1, 1, 2]]
LIE = orientation.Ranges(0.75, AXES, 5.0)
WEDGES = cuts.WedgeRanges(0.75, (5.0, 45.0))
SHAPES = cuts.ShapeRanges(0.5, 0.5, (0.01, 0.5), (3, 15), (4, 20))
DEFECTS = defects.Ranges(0.8, 0.5, 0.25)
DISORDER = disorder.Ranges(0.6, 0.4, 1.5, 1.0, 0.8, (0.2, 1.0), 0.5)
SUPPORT = assemble.SupportRanges(0.95, 0.5, (10.0, 300.0))
KINDS = {"crystalline": 0.7, "amorphous": 0.15, "points": 0.15}
SPECIMENS = assemble.Ranges(
    (0.1, 0.4), 5.0, 50, KINDS, CRYSTALS, GLASSES, POINTS, LIE, WEDGES, SHAPES, DEFECTS, DISORDER, SUPPORT
)

draws = settings(max_examples=200, deadline=None, derandomize=True, database=None)
numbers = st.integers(0, 10**6)


def drawn_crystal(number: int, ranges=CRYSTALS):
    for attempt in range(50):
        try:
            return crystal.sample(ranges, stream(1, "crystal", number, attempt))
        except Unplaceable:
            pass
    raise AssertionError("no crystal in fifty attempts")


class TestCrystals:
    @draws
    @given(numbers)
    def test_its_group_leaves_cell_and_atoms_as_they_are(self, number):
        solid, parameters = drawn_crystal(number)
        rotations, translations = crystal.operators(parameters["group"])
        metric = solid.cell @ solid.cell.T
        # lengths of up to 25 Å, squared, in double precision
        assert np.abs(np.swapaxes(rotations, 1, 2) @ metric @ rotations - metric).max() < 1e-9
        images = (rotations[:, None] @ solid.places[:, :, None])[..., 0] + translations[:, None]
        difference = images[:, :, None] - solid.places if len(solid.places) < 60 else None
        if difference is not None:
            distance = np.linalg.norm((difference - np.round(difference)) @ solid.cell, axis=-1)
            assert distance.min(-1).max() < 1e-2
            assert (solid.numbers[distance.argmin(-1)] == solid.numbers).all()

    @draws
    @given(numbers)
    def test_no_two_atoms_are_nearer_than_it_says(self, number):
        solid, parameters = drawn_crystal(number)
        # all images in a ball of 7 Å, by brute force over more cells than that needs
        heights = 1 / np.linalg.norm(np.linalg.inv(solid.cell), axis=0)
        reach = np.ceil(7 / heights).astype(int) + 1
        cells = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in reach], indexing="ij"), -1).reshape(-1, 3)
        some = solid.places[:3]
        vectors = (solid.places[None] + cells[:, None]).reshape(-1, 3) @ solid.cell
        found = min(np.sort(np.linalg.norm(vectors - one @ solid.cell, axis=1))[1] for one in some)
        assert 0.95 <= parameters["distance"] <= 7
        assert found >= parameters["distance"] - 1e-9

    def test_smallest_distances_are_those_of_known_crystals(self):
        fcc = Structure(4.0 * np.eye(3), np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]), np.ones(4))
        assert crystal.smallest_distance(fcc, 7.0) == pytest.approx(4 / np.sqrt(2), rel=1e-12)
        # a flat cell, whose nearest image is not along an edge
        skew = Structure(np.array([[5.0, 0, 0], [4.6, 1.5, 0], [0, 0, 8.0]]), np.zeros((1, 3)), np.ones(1))
        assert crystal.smallest_distance(skew, 7.0) == pytest.approx(np.hypot(0.4, 1.5), rel=1e-12)

    def test_spglib_finds_the_group_again(self):
        same = total = 0
        for number in range(150):
            solid, parameters = drawn_crystal(number)
            if len(solid.places) > 250:
                continue
            found = spglib.get_symmetry_dataset((solid.cell, solid.places, solid.numbers), symprec=1e-2)
            operations = len(crystal.operators(parameters["group"])[0])
            # an arrangement may have more symmetry than was asked for, never less: by Lagrange's theorem a multiple
            assert len(found.rotations) % operations == 0
            general = sum(np.bincount(solid.numbers) >= operations)
            if general >= 4:
                # four elements in general positions have no more than their group; but for sites that the merging
                # of images has put on a common symmetry element
                total += 1
                same += found.number == parameters["group"]
        assert total > 20
        assert same >= 0.9 * total

    def test_all_groups_make_crystals(self):
        for group in range(1, 231):
            solid, _ = drawn_crystal(group, dataclasses.replace(CRYSTALS, group=(group, group)))
            assert len(solid.numbers) > 0

    def test_parameters_follow_their_ranges(self):
        parameters = [drawn_crystal(number)[1] for number in range(300)]
        lengths = np.array([p["cell"][:3] for p in parameters])
        angles = np.array([p["cell"][3:] for p in parameters])
        assert lengths.min() >= 3.1
        assert lengths.max() <= 25
        assert angles.min() >= 45 - 1e-6
        assert angles.max() <= 120 + 1e-6
        assert {z for p in parameters for z in p["elements"]} <= set(range(1, 104))
        assert max(len(p["elements"]) for p in parameters) > 8
        # groups are uniform before rejection; crowded ones are rejected more often, so only the spread is tested
        assert len({p["group"] for p in parameters}) > 150

    @pytest.mark.parametrize(
        ("field", "wrong"),
        [
            ("species", (0, 4)),
            ("z", (1, 104)),
            ("group", (1, 231)),
            ("length", (0.0, 5.0)),
            ("angle", (125.0, 150.0)),
            ("distance", (30.0, 40.0)),
        ],
    )
    def test_impossible_ranges_are_named(self, field, wrong):
        with pytest.raises(EmrestoreError, match=f"'{field}'"):
            crystal.check(dataclasses.replace(CRYSTALS, **{field: wrong}))


class TestPacking:
    @draws
    @given(numbers, st.booleans())
    def test_points_keep_their_distance(self, number, periodic):
        generator = stream(1, "scatter", number)
        box, distance = generator.uniform(5, 20, 3), generator.uniform(0.5, 2)
        count = int(0.2 * box.prod() / (np.pi * distance**3 / 6))
        points = packing.scatter(count, box, distance, generator, periodic)
        assert points.shape == (count, 3)
        assert ((points >= 0) & (points < box)).all()
        if count > 1:
            assert cKDTree(points, boxsize=box if periodic else None).query(points, k=2)[0][:, 1].min() >= distance

    def test_too_many_points_jam(self):
        # half the volume in spheres: beyond the 0.384 at which random addition ends
        with pytest.raises(Unplaceable, match="jam"):
            packing.scatter(int(0.5 * 1000 / (np.pi / 6)), np.full(3, 10.0), 1.0, stream(1, "jam"), periodic=True)

    @draws
    @given(numbers)
    def test_glasses_have_density_and_distance_and_no_seam(self, number):
        try:
            solid, parameters = packing.draw_amorphous(GLASSES, stream(1, "glass", number))
        except Unplaceable:
            return
        # a mass in u over a volume in Å³, in g/cm³
        mass = packing.atomic_masses[parameters["elements"][0]] * 1.66053907
        # the number of atoms is rounded
        assert mass * len(solid.numbers) / 20.0**3 == pytest.approx(
            parameters["density"], abs=0.5 * mass / 20.0**3 + 1e-5 * parameters["density"]
        )
        distances = cKDTree(20 * solid.places, boxsize=20.0).query(20 * solid.places, k=2)[0][:, 1]
        assert distances.min() >= parameters["distance"] - 1e-9
        assert 0.95 <= parameters["distance"] <= 1.6
        assert 2 <= parameters["density"] <= 7

    def test_light_atoms_that_cannot_be_so_dense_are_drawn_again(self):
        # 4.2 atoms per Å³ at 0.95 Å fill nearly twice the space
        heavy_hydrogen = dataclasses.replace(GLASSES, z=(1, 1), density=(7.0, 7.0))
        with pytest.raises(Unplaceable, match="jam"):
            packing.draw_amorphous(heavy_hydrogen, stream(1, "hydrogen"))
        with pytest.raises(EmrestoreError, match="'density'"):
            packing.check_amorphous(heavy_hydrogen)

    def test_impossible_points_are_named(self):
        with pytest.raises(EmrestoreError, match="'count'"):
            packing.check_points(dataclasses.replace(POINTS, count=(0, 5)))
        with pytest.raises(EmrestoreError, match="'z'"):
            packing.check_points(dataclasses.replace(POINTS, z=(0, 5)))


class TestFill:
    @draws
    @given(numbers)
    def test_a_box_holds_all_atoms_that_it_should(self, number):
        generator = stream(1, "fill", number)
        cell = crystal.draw_cell(CRYSTALS, 75, generator)
        solid = Structure(cell, generator.random((3, 3)), np.array([1, 2, 3], np.int16))
        rotation = orientation.matrix(orientation.sample(LIE, True, generator), cell)
        box, origin = generator.uniform(5, 15, 3), generator.random(3)
        found = fill(solid, rotation, box, origin)
        assert ((found.positions >= 0) & (found.positions < box)).all()
        reach = np.ceil(box.sum() / (1 / np.linalg.norm(np.linalg.inv(cell), axis=0))).astype(int) + 1
        cells = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in reach], indexing="ij"), -1).reshape(-1, 3)
        vectors = (solid.places[None] + cells[:, None] - origin).reshape(-1, 3) @ cell @ rotation.T + box / 2
        expected = ((vectors >= 0) & (vectors < box)).all(1)
        assert len(found) == expected.sum()
        assert np.allclose(np.sort(found.positions, axis=0), np.sort(vectors[expected], axis=0))
        assert np.bincount(found.numbers, minlength=4)[1:].tolist() == (expected.reshape(-1, 3).sum(0).tolist())

    def test_tiles_have_no_seams(self):
        solid, _ = packing.draw_amorphous(GLASSES, stream(1, "tile", 3))
        atoms = fill(solid, np.eye(3), np.array([50.0, 50.0, 20.0]), np.zeros(3))
        shifted = atoms.positions + np.array([20.0, 0, 0])
        inside = shifted[:, 0] < 50
        assert inside.sum() > 100
        assert cKDTree(atoms.positions).query(shifted[inside])[0].max() < 1e-9


class TestOrientation:
    @draws
    @given(numbers)
    def test_rotations_are_proper_and_the_axis_is_as_far_from_the_beam_as_drawn(self, number):
        generator = stream(1, "lie", number)
        cell = crystal.draw_cell(CRYSTALS, 3 + number % 228, generator)
        parameters = orientation.sample(LIE, bool(number % 2), generator)
        rotation = orientation.matrix(parameters, cell)
        assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1)
        axis = np.array([0, 0, 1.0]) if parameters["zone"] is None else np.array(parameters["zone"]) @ cell
        cosine = (rotation @ axis)[2] / np.linalg.norm(axis)
        assert cosine == pytest.approx(np.cos(np.radians(parameters["tilt"])), abs=1e-12)

    def test_probabilities_and_spreads(self):
        drawn = [orientation.sample(LIE, True, stream(1, "lies", number)) for number in range(2000)]
        along = [one for one in drawn if one["zone"] is not None]
        # five standard errors of a share
        assert len(along) / 2000 == pytest.approx(0.75, abs=5 * np.sqrt(0.75 * 0.25 / 2000))
        rms = np.sqrt(np.mean([one["tilt"] ** 2 for one in along]))
        assert rms == pytest.approx(5, rel=5 / np.sqrt(2 * len(along)))
        # anyhow: the beam's direction is uniform over the sphere, so its cosine is uniform
        cosines = [np.cos(np.radians(one["tilt"])) for one in drawn if one["zone"] is None]
        assert stats.kstest(cosines, stats.uniform(-1, 2).cdf).pvalue > 1e-4
        counts = collections.Counter(tuple(one["zone"]) for one in along)
        assert set(counts) == set(map(tuple, AXES))
        assert stats.chisquare(list(counts.values())).pvalue > 1e-4
        assert all(orientation.sample(LIE, False, stream(1, "glass", n))["zone"] is None for n in range(50))


def cloud(number: int, count: int = 40000, box=(30.0, 30.0, 30.0)):
    box = np.array(box)
    return Atoms(stream(1, "cloud", number).random((count, 3)) * box, np.full(count, 14, np.int16)), box


class TestCuts:
    @pytest.mark.parametrize("side", ["top", "bottom", "both"])
    def test_a_wedge_slopes_by_its_angle(self, side):
        angles = {"top": 0.0 if side == "bottom" else 20.0, "bottom": 0.0 if side == "top" else 12.0}
        atoms, box = cloud(1)
        cut = cuts.wedge(atoms, box, {**angles, "azimuth": 130.0})
        way = cut.positions[:, :2] @ [np.cos(np.radians(130)), np.sin(np.radians(130))]
        bins = np.digitize(way, np.linspace(way.min(), way.max(), 21))
        middle = np.linspace(way.min(), way.max(), 21)[:-1] + (way.max() - way.min()) / 40
        # the surface, from the atoms furthest out in bands across the slope; the ends hold few
        for name, sign, extreme in (("top", -1, np.max), ("bottom", 1, np.min)):
            surface = np.array([extreme(cut.positions[bins == b, 2]) for b in range(4, 17)])
            slope = np.polyfit(middle[3:16], surface, 1)[0]
            # a band's extreme lies within about a band's rise, and the mean spacing of 0.9 Å, of the surface: over
            # 13 bands of 2 Å that is 0.02 in the slope
            assert sign * slope == pytest.approx(np.tan(np.radians(angles[name])), abs=0.02)

    def test_sides_are_equally_probable(self):
        drawn = [cuts.sample_wedge(WEDGES, stream(1, "wedge", number)) for number in range(3000)]
        some = [one for one in drawn if one is not None]
        assert len(some) / 3000 == pytest.approx(0.75, abs=5 * np.sqrt(0.75 * 0.25 / 3000))
        for sides in ((True, False), (False, True), (True, True)):
            share = np.mean([(one["top"] > 0, one["bottom"] > 0) == sides for one in some])
            assert share == pytest.approx(1 / 3, abs=5 * np.sqrt(2 / 9 / len(some)))
        angles = [one[side] for one in some for side in ("top", "bottom") if one[side] > 0]
        assert stats.kstest(angles, stats.uniform(5, 40).cdf).pvalue > 1e-4

    @draws
    @given(numbers)
    def test_shapes_are_convex_within_their_radius_and_part_the_atoms(self, number):
        atoms, box = cloud(number, 4000)
        parameters = cuts.sample_shape(dataclasses.replace(SHAPES, occurs=1.0), box, box, stream(1, "shape", number))
        centre = np.array(parameters["centre"])
        assert ((centre >= 0) & (centre < box)).all()
        within = cuts.inside(atoms.positions, parameters)
        kept = cuts.shape(atoms, parameters)
        removed = cuts.shape(atoms, {**parameters, "keep": not parameters["keep"]})
        assert len(kept) + len(removed) == len(atoms)
        assert len(kept) == (within if parameters["keep"] else ~within).sum()
        inner = atoms.positions[within]
        if len(inner) > 1:
            assert cuts.inside((inner + inner[::-1]) / 2, parameters).all()
        if parameters["kind"] == "polyhedron":
            assert 0.3 <= parameters["radius"] <= 15
            assert (np.linalg.norm(inner - centre, axis=1) <= parameters["radius"]).all()
        if parameters["kind"] == "rod":
            # endless along an axis that all its faces share, and within its radius across
            axis = np.linalg.svd(np.array(parameters["normals"]))[2][-1]
            assert np.abs(np.array(parameters["normals"]) @ axis).max() < 1e-9
            across = inner - centre - ((inner - centre) @ axis)[:, None] * axis
            assert (np.linalg.norm(across, axis=1) <= parameters["radius"] * (1 + 1e-9)).all()
        if parameters["kind"] == "half-space":
            assert parameters["normals"][0][2] == 0

    def test_kinds_and_keeping_are_equally_probable(self):
        box = np.full(3, 20.0)
        drawn = [cuts.sample_shape(SHAPES, box, box, stream(1, "shapes", number)) for number in range(2000)]
        some = [one for one in drawn if one is not None]
        assert len(some) / 2000 == pytest.approx(0.5, abs=5 * np.sqrt(0.25 / 2000))
        counts = collections.Counter(one["kind"] for one in some)
        assert stats.chisquare([counts[kind] for kind in cuts.KINDS]).pvalue > 1e-4
        assert np.mean([one["keep"] for one in some]) == pytest.approx(0.5, abs=5 * np.sqrt(0.25 / len(some)))

    def test_a_tetrahedron_has_its_volume(self):
        one = dataclasses.replace(SHAPES, occurs=1.0, radius=(0.5, 0.5), vertices=(4, 4))
        box = np.full(3, 30.0)
        for number in range(200):
            parameters = cuts.sample_shape(one, box, box, stream(1, "volume", number))
            if parameters["kind"] == "polyhedron":
                break
        normals, offsets = np.array(parameters["normals"]), np.array(parameters["offsets"])
        corners = [np.linalg.solve(np.delete(normals, face, 0), np.delete(offsets, face)) for face in range(4)]
        volume = abs(np.linalg.det(np.array(corners[:3]) - corners[3])) / 6
        points = stream(1, "volume").uniform(-15, 15, (200000, 3))
        share = cuts.inside(points + parameters["centre"], parameters).mean()
        expected = volume / 30**3
        assert share == pytest.approx(expected, abs=5 * np.sqrt(expected * (1 - expected) / 200000))

    def test_impossible_ranges_are_named(self):
        with pytest.raises(EmrestoreError, match="'angle'"):
            cuts.check_wedge(cuts.WedgeRanges(0.5, (5.0, 95.0)))
        for field, wrong in (("occurs", 1.5), ("keep", -0.1), ("radius", (0.0, 0.5)), ("polygon", (2, 5))):
            with pytest.raises(EmrestoreError, match=f"'{field}'"):
                cuts.check_shapes(dataclasses.replace(SHAPES, **{field: wrong}))


class TestDefects:
    def test_displaced_atoms_move_by_their_radius(self):
        atoms, _ = cloud(2)
        atoms = Atoms(atoms.positions, np.where(np.arange(len(atoms)) % 2, 79, 6).astype(np.int16))
        moved = defects.apply(atoms, {"kind": "displaced", "share": 0.25}, stream(1, "defects"))
        steps = moved.positions - atoms.positions
        chosen = (steps != 0).any(1)
        assert chosen.sum() == len(atoms) // 4
        for z in (6, 79):
            some = steps[chosen & (atoms.numbers == z)]
            expected = potential_radii()[z - 1]
            assert some.std() == pytest.approx(expected, rel=5 / np.sqrt(2 * some.size))

    def test_vacancies_remove(self):
        atoms, _ = cloud(3)
        left = defects.apply(atoms, {"kind": "vacant", "share": 0.1}, stream(1, "defects"))
        assert len(left) == 0.9 * len(atoms)
        assert defects.apply(atoms, None, stream(1, "defects")) is atoms

    def test_probabilities(self):
        drawn = [defects.sample(DEFECTS, stream(1, "defect", number)) for number in range(2000)]
        some = [one for one in drawn if one is not None]
        assert len(some) / 2000 == pytest.approx(0.8, abs=5 * np.sqrt(0.16 / 2000))
        assert stats.kstest([one["share"] for one in some], stats.uniform(0, 0.25).cdf).pvalue > 1e-4


class TestDisorder:
    #: Columns of ten atoms, 4 Å apart: more than twice the reach, so that they move independently.
    SITES = np.stack(np.meshgrid(*[4.0 * np.arange(40)] * 2), axis=-1).reshape(-1, 2)

    def columns(self):
        depth = np.tile(2.0 * np.arange(10), len(self.SITES))
        return Atoms(np.column_stack([np.repeat(self.SITES, 10, axis=0), depth]), np.full(len(depth), 78, np.int16))

    def test_columns_move_as_a_whole_and_by_what_was_drawn(self):
        parameters = {"strength": 0.5, "displacement": 0.2, "vacancies": 0.0}
        moved = disorder.apply(self.columns(), parameters, DISORDER, stream(1, "disorder"))
        steps = (moved.positions - self.columns().positions).reshape(-1, 10, 3)
        assert np.abs(steps - steps[:, :1]).max() < 1e-12
        assert np.abs(steps[..., 2]).max() == 0
        flat = steps[:, 0, :2]
        # a standard deviation of n normal deviates is known to one part in √(2n)
        assert flat.std(axis=0) == pytest.approx(0.2, rel=5 / np.sqrt(2 * len(flat)))
        neighbours = flat.reshape(40, 40, 2)
        likeness = (neighbours[:, 1:] * neighbours[:, :-1]).mean() / flat.var()
        assert abs(likeness) < 5 / np.sqrt(neighbours.size)

    def test_the_field_has_unit_variance_everywhere(self):
        places = np.stack(np.meshgrid(np.arange(0, 100, 0.25), np.arange(0, 100, 0.25)), axis=-1)
        values = disorder.field(places.reshape(-1, 2), stream(1, "field")).reshape(*places.shape)
        for i in range(4):
            for j in range(4):
                some = values[i::4, j::4]
                # neighbours share nodes: a quarter of the values are independent
                assert some.var() == pytest.approx(1, rel=5 * np.sqrt(2 / (some.size / 4)))

    def test_places_lack_atoms(self):
        parameters = {"strength": 1.0, "displacement": 0.0, "vacancies": 1.0}
        left = disorder.apply(self.columns(), parameters, DISORDER, stream(1, "vacancies"))
        column = np.rint(left.positions[:, :2] / 4).astype(int)
        height = np.zeros((40, 40), int)
        np.add.at(height, tuple(column.T), 1)
        # 1 / nm² over 15.6 x 15.6 nm, each at some column: a Poisson number of columns is hit, some twice
        hit, expected = (height < 10).sum(), 1600 * (1 - np.exp(-(15.6**2) / 1600))
        # but one in a hundred of those that are to lose a part keeps all of its ten atoms
        assert hit == pytest.approx(expected, abs=5 * np.sqrt(expected))
        # half lack all
        assert (height == 0).sum() == pytest.approx(hit / 2, abs=5 * np.sqrt(hit) / 2)
        assert disorder.apply(self.columns(), None, DISORDER, stream(1, "none")).positions.shape == (16000, 3)

    def test_strength_scales_all(self):
        drawn = [disorder.sample(DISORDER, stream(1, "strength", number)) for number in range(2000)]
        some = [one for one in drawn if one is not None]
        assert len(some) / 2000 == pytest.approx(0.6, abs=5 * np.sqrt(0.24 / 2000))
        assert stats.kstest([one["strength"] for one in some], "uniform").pvalue > 1e-4
        assert all(one["displacement"] == 0.4 * one["strength"] == 0.4 * one["vacancies"] for one in some)


class TestSpecimens:
    def test_the_same_address_makes_the_same_specimen_and_another_does_not(self):
        one, first = assemble.sample(SPECIMENS, (64, 64), 1, "specimens", 5)
        two, second = assemble.sample(SPECIMENS, (64, 64), 1, "specimens", 5)
        other, _ = assemble.sample(SPECIMENS, (64, 64), 1, "specimens", 6)
        assert first == second
        assert np.array_equal(one.positions, two.positions)
        assert len(other) != len(one) or not np.array_equal(other.positions, one.positions)

    def test_drawn_parameters_match_their_ranges_although_specimens_are_redrawn(self):
        drawn = [assemble.sample(SPECIMENS, (64, 48), 1, "many", number) for number in range(400)]
        parameters = [one[1] for one in drawn]
        counts = collections.Counter(one["kind"] for one in parameters)
        assert stats.chisquare([counts[kind] for kind in KINDS], 400 * np.array(list(KINDS.values()))).pvalue > 1e-4
        sizes = np.log([one["pixel_size"] for one in parameters])
        low, high = np.log(SPECIMENS.pixel_size)
        assert stats.kstest(sizes, stats.uniform(low, high - low).cdf).pvalue > 1e-4
        supports = [one["support"] for one in parameters if one["support"] is not None]
        assert len(supports) / 400 == pytest.approx(0.95, abs=5 * np.sqrt(0.95 * 0.05 / 400))
        assert stats.kstest([one["thickness"] for one in supports], stats.uniform(10, 290).cdf).pvalue > 1e-4
        assert any(one["redrawn"] for one in parameters)
        for atoms, one in drawn:
            width, height = 48 * one["pixel_size"], 64 * one["pixel_size"]
            x, y = atoms.positions[:, :2].T
            # displaced atoms may leave the box, by as many standard deviations of up to 1.4 Å as chance allows
            assert x.min() > -5 - 8
            assert x.max() < width + 5 + 8
            assert y.min() > -5 - 8
            assert y.max() < height + 5 + 8
            assert ((x > 0) & (x < width) & (y > 0) & (y < height)).any()

    def test_disorder_is_of_the_support_too(self):
        always = dataclasses.replace(SPECIMENS, support=dataclasses.replace(SUPPORT, occurs=1.0))
        without, much = (
            dataclasses.replace(always, disorder=dataclasses.replace(DISORDER, occurs=occurs)) for occurs in (0.0, 1.0)
        )
        for number in range(5):
            one, two = (assemble.sample(ranges, (64, 64), 1, "support", number) for ranges in (without, much))
            assert one[1]["support"] == two[1]["support"] is not None
            places = {tuple(place) for place in one[0].positions}
            assert two[1]["specimen"]["disorder"] is not None
            # no atom is where it was
            assert not places & {tuple(place) for place in two[0].positions}

    def test_what_cannot_be_placed_is_refused_with_the_reason(self):
        tight = dataclasses.replace(SPECIMENS.crystal, distance=(24.0, 24.9))
        none = dataclasses.replace(
            SPECIMENS, crystal=tight, attempts=5, kinds={**dict.fromkeys(KINDS, 0.0), "crystalline": 1.0}
        )
        with pytest.raises(EmrestoreError, match="could be placed in 5 attempts, the last because the cell"):
            assemble.sample(none, (64, 64), 1, "none")

    @pytest.mark.parametrize(
        ("field", "wrong", "named"),
        [
            ("pixel_size", (0.0, 0.9), "pixel_size"),
            ("kinds", {**KINDS, "points": 0.5}, "kinds"),
            ("attempts", 0, "attempts"),
            ("crystal", dataclasses.replace(CRYSTALS, z=(1, 120)), "crystal: 'z'"),
            (
                "amorphous",
                dataclasses.replace(GLASSES, density=(7.0, 9.0), distance=(4.5, 4.9)),
                "amorphous: 'distance'",
            ),
            ("support", dataclasses.replace(SUPPORT, thickness=(0.0, 5.0)), "support: 'thickness'"),
            ("orientation", dataclasses.replace(LIE, axes=[[0, 0, 0]]), "orientation: 'axes'"),
            ("defects", dataclasses.replace(DEFECTS, share=1.2), "defects: 'share'"),
            ("disorder", dataclasses.replace(DISORDER, reach=0.0), "disorder: 'reach'"),
        ],
    )
    def test_impossible_ranges_are_named_with_their_section(self, field, wrong, named):
        assemble.check(SPECIMENS)
        with pytest.raises(EmrestoreError, match=named):
            assemble.check(dataclasses.replace(SPECIMENS, **{field: wrong}))
