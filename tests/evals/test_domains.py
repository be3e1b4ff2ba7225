"""The functions of the recorded fields compute what they say."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easynet.core.contribution import contributed
from easynet.core.errors import BadData
from evals import recorded_inputs
from evals.domains import FIELDS, energy, finance, functions, geometry, logistics, projects, text, timetables

POINTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=3, max_size=14, unique=True)


def test_every_function_is_described_in_both_languages_and_has_a_name_of_its_own() -> None:
    offered = [c for field in FIELDS for f in functions(field) if (c := contributed(f)) is not None]
    assert len({c.name for c in offered}) == len(offered) >= 55
    assert all({"en", "zh"} <= c.description.keys() for c in offered)


def test_a_degree_along_the_equator_is_111_kilometres() -> None:
    stops = logistics.read_stops([{"name": "a", "lat": 0, "lon": 0}, {"name": "b", "lat": 0, "lon": 1}])
    assert logistics.measure_distances(stops)["km"][0][1] == pytest.approx(111.19, abs=0.02)


def test_the_shortest_route_around_a_circle_goes_around_it() -> None:
    places = [
        {"name": str(n), "lat": math.sin(n * math.pi / 5), "lon": math.cos(n * math.pi / 5), "kg": 1}
        for n in (0, 7, 3, 9, 1, 5, 2, 8, 4, 6)
    ]
    route = logistics.find_shortest_route(logistics.measure_distances(logistics.read_stops(places)))
    order = [int(name) for name in [*route["order"], route["order"][0]]]
    assert all((a - b) % 10 in (1, 9) for a, b in pairwise(order))


@given(st.lists(st.integers(1, 60), min_size=2, max_size=12))
def test_no_van_carries_more_than_it_may_and_every_parcel_has_one(weights: list[int]) -> None:
    stops = logistics.read_stops(
        [{"name": str(n), "lat": 0, "lon": n, "kg": kg} for n, kg in enumerate(weights)]
    )
    packing = logistics.pack_parcels(stops, capacity_kg=60)
    assert max(packing["load_kg"]) <= 60
    assert sorted(int(n) for van in packing["vans"] for n in van) == [*range(len(weights))]
    assert len(packing["vans"]) >= sum(weights) / 60


@given(POINTS)
def test_circle_and_hull_hold_all_points(points: list[tuple[int, int]]) -> None:
    found = geometry.read_points([[x, y] for x, y in points])
    circle = geometry.enclosing_circle(found)
    assert all(math.dist(circle["centre"], p) <= circle["radius"] + 1e-4 for p in found["points"])
    corners = geometry.convex_hull(found)["corners"]
    for a, b in pairwise([*corners, corners[0]]):
        for p in found["points"]:
            assert (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) >= -1e-9


def test_a_square_has_its_area_its_cables_and_two_triangles_or_more() -> None:
    square = geometry.read_points([[0, 0], [10, 0], [10, 10], [0, 10], [4, 5]])
    assert geometry.measure_hull(geometry.convex_hull(square)) == {"area": 100.0, "perimeter": 40.0}
    assert len(geometry.shortest_cables(square)["edges"]) == 4
    assert len(geometry.triangulate(square)["triangles"]) == 4


@given(st.integers(1_000, 900_000), st.integers(0, 120), st.integers(1, 30))
def test_a_loan_is_paid_back_and_the_linear_way_costs_no_more(
    amount: int, per_mille: int, years: int
) -> None:
    terms = finance.read_loan(amount, per_mille / 1000, years)
    annuity, linear = finance.plan_annuity(terms), finance.plan_linear(terms)
    assert annuity["balance"][-1] == pytest.approx(0, abs=0.02)
    assert annuity["instalment"] * 12 * years == pytest.approx(amount + annuity["interest"], rel=1e-3)
    assert linear["interest"] <= annuity["interest"] + 0.05


def test_the_least_risky_weights_leave_out_what_only_adds_risk() -> None:
    covariance = finance.Covariance(names=["calm", "wild"], matrix=[[1e-4, 2e-4], [2e-4, 9e-4]])
    weights = finance.least_risky_weights(covariance)["weights"]
    assert weights == pytest.approx([1.0, 0.0], abs=1e-3)


def test_money_is_converted_by_its_worth() -> None:
    sums = finance.convert_currencies({"USD": 100, "EUR": 10}, {"EUR": 1.0, "USD": 0.5}, "EUR")
    assert sums == {"currency": "EUR", "amounts": [50.0, 10.0], "total": 60.0}


@settings(max_examples=15)
@given(st.integers(0, 40), st.integers(1, 6))
def test_a_timetable_has_no_clash(seed: int, forms: int) -> None:
    rows = recorded_inputs.lessons(seed, forms)["lessons"]
    assert isinstance(rows, list)
    lessons = timetables.read_lessons([dict(r) for r in rows if isinstance(r, dict)][:18])
    conflicts = timetables.find_clashes(lessons)
    table = timetables.make_timetable(lessons, conflicts)
    assert all(table["slots"][i] != table["slots"][j] for i, j in conflicts["pairs"])


def test_the_critical_path_is_the_longest_and_has_no_slack() -> None:
    tasks = [
        {"name": "a", "days": [1, 2, 3]},
        {"name": "b", "days": [4, 5, 6], "after": ["a"]},
        {"name": "c", "days": [1, 1, 1], "after": ["a"]},
        {"name": "d", "days": [2, 2, 2], "after": ["b", "c"]},
    ]
    project = projects.read_project(tasks)
    assert projects.critical_path(project) == {"tasks": ["a", "b", "d"], "days": 9.0}
    slack = projects.task_slack(project)
    assert dict(zip(slack["names"], slack["days"], strict=True)) == {"a": 0, "b": 0, "c": 4, "d": 0}
    simulated = projects.simulate_project(project)
    assert 7 <= simulated["p10"] <= simulated["p50"] <= simulated["p90"] <= 11


def test_tasks_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(BadData, match="wait for each other"):
        projects.read_project(
            [{"name": "a", "days": [1], "after": ["b"]}, {"name": "b", "days": [1], "after": ["a"]}]
        )


def test_degree_days_and_cold_spells_of_a_short_winter() -> None:
    days = energy.read_temperatures([10.0, -1.0, -2.0, 16.0, -3.0])
    assert energy.count_degree_days(days) == {"kelvin_days": 76.0, "heating_days": 4}
    assert energy.find_cold_spells(days) == {"longest": 2, "coldest": -3.0, "spells": 2}


def test_who_uses_power_at_night_pays_least_with_a_night_tariff() -> None:
    profile = energy.build_load_profile(energy.read_meter([1.0] * 6 + [0.0] * 16 + [1.0] * 2))
    found = energy.compare_tariffs(
        profile, [{"name": "day", "day": 0.2}, {"name": "night", "day": 0.4, "night": 0.1}]
    )
    assert found == {"names": ["day", "night"], "per_year": [584.0, 292.0], "cheapest": "night"}


def test_a_larger_battery_is_never_worse_and_a_household_with_sun_has_one() -> None:
    rows = recorded_inputs.meter(1)["readings"]
    assert isinstance(rows, list)
    profile = energy.build_load_profile(energy.read_meter([float(str(r)) for r in rows]))
    solar = energy.size_solar_panels(profile)
    battery = energy.size_battery(profile, solar)
    assert solar["own_use"] >= 0.5
    assert 0 < battery["self_sufficiency"] <= 1


@pytest.mark.parametrize(
    ("words", "language"),
    [
        (recorded_inputs.ENGLISH, "English"),
        (recorded_inputs.CHINESE, "Chinese"),
        (recorded_inputs.GERMAN, "German"),
    ],
)
def test_a_text_is_in_its_language_and_is_summed_up_by_sentences_of_its_own(
    words: str, language: str
) -> None:
    body = text.read_text(words)
    assert text.detect_language(body)["language"] == language
    summary = text.summarise_text(body, text.find_keywords(body))
    assert 0 < len(summary["sentences"]) < len(body["sentences"])
    assert all(sentence in words for sentence in summary["sentences"])
    assert text.estimate_reading_time(body)["words"] == sum(map(len, body["words"]))


def test_a_glad_text_is_told_from_a_sad_one() -> None:
    assert text.judge_mood(text.read_text("What a great success!"))["score"] == 1
    assert text.judge_mood(text.read_text("这是最坏的失败，太悲哀了。"))["score"] == -1
