"""Where to hire, beside every choice of sites and every assignment on small cases."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory_lab.alignment import Infeasible, great_circle_km, locate
from territory_lab.alignment.covering import Ascent, Siting, relaxed
from territory_lab.alignment.siting import Search
from territory_lab.errors import BadInput


def case(seed, *, n=7, m=4, tight=0.8, count=2, kind="apart"):
    """Units and sites on a small map with whole coordinates; ``same``: the sites stand at the units."""
    rng = np.random.default_rng(seed)
    places = rng.integers(0, 12, (n, 2)).astype(float)
    units = pd.DataFrame(places, columns=["x_km", "y_km"], index=[f"u{i}" for i in range(n)])
    units["demand"] = rng.integers(1, 9, n).astype(float)
    units["calls"] = rng.integers(0, 4, n).astype(float)
    there = places[:m] if kind == "same" else rng.integers(0, 12, (m, 2)).astype(float)
    sites = pd.DataFrame(there, columns=["x_km", "y_km"], index=[f"s{j}" for j in range(m)])
    each = units["demand"].sum() / (count * tight)
    sites["capacity"] = np.ceil(each * rng.uniform(0.8, 1.2, m))
    sites["rent"] = rng.integers(0, 6, m).astype(float)
    return units, sites


def apart(units, sites):
    return np.hypot(*(np.subtract.outer(units[c].to_numpy(), sites[c].to_numpy()) for c in ("x_km", "y_km")))


def least(units, sites, count, *, weight=None, distance=None, fixed=(), cost=None):
    """The best over every choice of sites and every assignment, by looking at all of them; None: there is none."""
    if distance is None:
        distance = apart(units, sites)
    far = distance * (1.0 if weight is None else units[[weight]].to_numpy())
    far = np.where(np.isnan(distance), np.inf, far)
    load, n, best = units["demand"].to_numpy(), len(units), np.inf
    plans = np.indices((count,) * n).reshape(n, -1).T
    for chosen in itertools.combinations(range(len(sites)), count):
        if not {sites.index.get_loc(site) for site in fixed} <= set(chosen):
            continue
        loads = np.stack([(plans == k) @ load for k in range(count)], axis=1)
        fits = (loads <= sites["capacity"].to_numpy()[list(chosen)]).all(axis=1)
        total = far[np.arange(n), np.array(chosen)[plans[fits]]].sum(axis=1)
        rent = 0.0 if cost is None else sites[cost].to_numpy()[list(chosen)].sum()
        best = min(best, total.min(initial=np.inf) + rent)
    return None if best == np.inf else best


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(0, 10_000),
    st.sampled_from([(6, 4, 2), (7, 7, 2), (6, 5, 3), (7, 3, 1), (6, 4, 4)]),
    st.sampled_from(["apart", "same"]),
    st.sampled_from([0.6, 0.9, 0.98]),
    st.sampled_from([{}, {"weight": "calls"}, {"fixed": ["s1"]}, {"cost": "rent"}]),
)
def test_small_cases_are_solved_and_the_bound_is_never_above_the_best(seed, shape, kind, tight, options):
    n, m, count = shape
    units, sites = case(seed, n=n, m=m, tight=tight, count=count, kind=kind)
    best = least(units, sites, count, **options)
    if best is None:
        with pytest.raises(Infeasible):
            locate(units, sites, count, **options)
        return
    located = locate(units, sites, count, **options)
    assert located.feasible
    assert located.objective == pytest.approx(best, abs=1e-9)
    assert located.bound <= best * (1 + 1e-12)
    assert len(located.sites) == count
    assert set(options.get("fixed", [])) <= set(located.sites)
    assert set(located.alignment) <= set(located.sites)
    loads = units["demand"].groupby(located.alignment).sum()
    assert (loads <= sites["capacity"].reindex(loads.index)).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([0.1, 1.0, 20.0]))
def test_any_multipliers_bound_from_below(seed, whole, size):
    units, sites = case(seed)
    best = least(units, sites, 2)
    rng = np.random.default_rng(seed)
    far = apart(units, sites)
    siting = Siting(
        far, units["demand"].to_numpy(), sites["capacity"].to_numpy(), np.zeros(4), np.zeros(4, np.bool_), 2
    )
    ascent = Ascent(siting, size * rng.uniform(0, 1, 7))
    answer = relaxed(siting, ascent.book(), ascent.multiplier, np.zeros(4), whole)
    assert answer.value <= (np.inf if best is None else best)


@pytest.mark.parametrize("seed", range(5))
def test_a_matrix_with_pairs_out_of_reach_is_obeyed(seed):
    units, sites = case(seed, tight=0.6)
    rng = np.random.default_rng(seed)
    hours = rng.integers(0, 9, (7, 4)).astype(float)
    hours[rng.random((7, 4)) < 0.3] = np.nan
    hours[:, 0] = 7.0
    frame = pd.DataFrame(hours, units.index, sites.index)
    best = least(units, sites, 2, distance=hours)
    if best is None:
        with pytest.raises(Infeasible):
            locate(units, sites, 2, distance=frame)
    else:
        located = locate(units, sites, 2, distance=frame)
        assert located.feasible
        assert located.objective == pytest.approx(best)


def test_great_circle_distances_are_kilometres_on_the_globe():
    units, sites = case(3, tight=0.5)
    units, sites = (frame.rename(columns={"x_km": "lon", "y_km": "lat"}) for frame in (units, sites))
    far = great_circle_km(units[["lon"]], units[["lat"]], sites["lon"].to_numpy(), sites["lat"].to_numpy())
    located = locate(units, sites, 2, distance="great_circle")
    assert located.objective == pytest.approx(least(units, sites, 2, distance=far))


def test_without_capacity_every_unit_goes_to_the_nearest_open_site():
    units, sites = case(1, n=40, m=12)
    located = locate(units, sites.drop(columns="capacity"), 4, capacity=None)
    far = apart(units, sites.loc[located.sites])
    assert located.objective == pytest.approx(far.min(axis=1).sum())
    everywhere = apart(units, sites)
    best = min(everywhere[:, list(four)].min(axis=1).sum() for four in itertools.combinations(range(12), 4))
    assert located.objective == pytest.approx(best)


def test_names_and_order_do_not_matter():
    units, sites = case(5, n=60, m=15, count=4)
    one = locate(units, sites, 4)
    names = {name: f"x{name[::-1]}" for name in [*units.index, *sites.index]}
    other = locate(units.iloc[::-1].rename(index=names), sites.iloc[::-1].rename(index=names), 4)
    assert other.objective == pytest.approx(one.objective)
    assert set(other.sites) == {names[site] for site in one.sites}


def test_same_seed_same_plan():
    units, sites = case(6, n=50, m=10, count=4)
    one, two = (locate(units, sites, 4, seed=3) for _ in range(2))
    pd.testing.assert_series_equal(one.alignment, two.alignment)
    assert (one.objective, one.bound) == (two.objective, two.bound)


def test_more_load_than_the_largest_sites_hold_is_refused_with_the_sum():
    units, sites = case(0, tight=0.8)
    sites["capacity"] = [10.0, 11.0, 9.0, 8.0]
    units["demand"] = 4.0
    with pytest.raises(Infeasible, match="the load is 28, but the 2 largest sites that may be open together hold 21"):
        locate(units, sites, 2)


def test_a_unit_too_heavy_or_out_of_reach_is_named():
    units, sites = case(0)
    with pytest.raises(Infeasible, match="capacity for u3"):
        locate(units.assign(demand=[1, 1, 1, 500, 1, 1, 1]), sites.assign(capacity=100.0), 2)
    hours = pd.DataFrame(1.0, units.index, sites.index)
    hours.loc["u2"] = np.nan
    with pytest.raises(Infeasible, match="within reach of u2") as verdict:
        locate(units, sites, 2, distance=hours)
    assert verdict.value.units == ["u2"]


def test_units_that_fit_by_sum_but_not_whole_are_refused_with_a_proof():
    units, sites = case(0, n=5, m=3)
    with pytest.raises(Infeasible, match="do not fit whole"):
        locate(units.assign(demand=3.0), sites.assign(capacity=8.0), 2, time_limit_s=2)  # 15 of 16, but two in each


def test_every_fault_is_named_at_once():
    units, sites = case(0)
    broken = units.drop(columns="y_km").assign(demand=[1, -1, 1, np.nan, 1, 1, 1])
    twice = pd.concat([sites, sites.iloc[:1]]).drop(columns="capacity")
    with pytest.raises(BadInput) as refusal:
        locate(broken, twice, 9, fixed=["nowhere"], weight="calls_h")
    said = str(refusal.value)
    for part in ("y_km", "u1", "u3", "s0", "capacity", "nowhere", "9 sites", "calls_h"):
        assert part in said


@pytest.mark.parametrize("distance", ["as the crow flies", pd.DataFrame({"s0": [-1.0]}, index=["u0"])])
def test_distances_that_mean_nothing_are_refused(distance):
    units, sites = case(0)
    with pytest.raises(BadInput, match="distance"):
        locate(units, sites, 2, distance=distance)


def test_ctrl_c_returns_the_best_so_far(monkeypatch):
    units, sites = case(8, n=60, m=15, count=4)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "region", interrupted)
    located = locate(units, sites, 4)
    assert located.feasible
    assert 0 < located.bound <= located.objective


def test_time_up_at_once_still_gives_a_plan_with_what_it_breaks_named():
    units, sites = case(9, n=60, m=15, count=4, tight=0.97)
    located = locate(units, sites, 4, time_limit_s=0)
    assert len(located.alignment) == 60
    assert located.bound <= located.objective or not located.feasible
    over = located.use["load"] > located.use["capacity"]
    assert set(located.violations["site_id"]) == set(located.use.index[over])


def test_units_without_load_or_weight_are_carried_along():
    units, sites = case(2)
    units["demand"], units["calls"] = [0.0, 3, 2, 0, 5, 1, 2], [1.0, 0, 0, 2, 1, 0, 3]
    sites["capacity"] = 7.0
    located = locate(units, sites, 2, weight="calls")
    assert located.objective == pytest.approx(least(units, sites, 2, weight="calls"))
