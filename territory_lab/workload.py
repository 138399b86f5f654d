"""
From a call plan to hours: what accounts ask for, what the road takes, and how many reps that makes.

The build-up is Talley's (1961, Journal of Marketing 25:3): accounts by segment x calls a year x hours a call, over the
hours a rep has for customers. Travel inside a unit follows the length of a shortest tour, travel from home the trips.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from territory_lab.alignment.problem import great_circle_km
from territory_lab.errors import BadInput, Fault

TIERS = ("A", "B", "C", "D")
LONG_TOUR, EDGE, MEAN_STEP = 0.7124, 0.62, 0.5214
"""Tour lengths for area 1: per root of the stops (Johnson and McGeoch 1996), the edge of the square (fitted to the
shortest tours of 20-90 stops, which are 0.858-0.777 per root), and the mean distance of two points in a square."""

Z_90 = 1.645
"""Half-width of a 90 % interval in standard deviations."""


def _by_tier(a: float, b: float, c: float, d: float) -> Mapping[str, float]:
    """Name four figures by tier."""
    return field(default_factory=lambda: dict(zip(TIERS, (a, b, c, d), strict=True)))


@dataclass(frozen=True)
class CallPlan:
    """
    How customers and prospects are looked after, and what a rep's year holds.

    Parameters
    ----------
    customer_calls, prospect_calls : mapping of str to float
        Calls a year to one account, by tier A to D.
    call_h : mapping of str to float
        Hours face to face in one call, by tier.
    preparation_h : float
        Hours before and after one call.
    calls_per_day : float
        Calls on a day on the road.
    nights : int
        Nights away on a long trip; the rep chooses between this and a day trip, whichever costs less.
    night_h : float
        Working hours that one night away costs.
    speed_km_h : float
        Mean speed on the road.
    circuity : float
        Road over great-circle distance (1.20 in the United States: Ballou, Rahardja and Sakai 2002).
    flight_h : float
        Hours that one flight takes besides the time in the air, from door to door; infinite where nobody flies.
    flight_km_h : float
        Speed in the air.
    year_h : float
        Working hours a rep is paid for in a year.
    non_selling_share : float
        Share of those hours for everything but customers and travel.
    """

    customer_calls: Mapping[str, float] = _by_tier(12, 6, 3, 1)
    prospect_calls: Mapping[str, float] = _by_tier(4, 1, 0, 0)
    call_h: Mapping[str, float] = _by_tier(1, 1, 0.75, 0.5)
    preparation_h: float = 0.25
    calls_per_day: float = 5.0
    nights: int = 3
    night_h: float = 2.0
    speed_km_h: float = 70.0
    circuity: float = 1.2
    flight_h: float = 4.0
    flight_km_h: float = 750.0
    year_h: float = 1_800.0
    non_selling_share: float = 0.28

    def __post_init__(self) -> None:
        faults = [
            Fault("settings", name, tier, f"{table.get(tier)}", "give a number, zero or more, for tiers A to D")
            for name, table in (
                ("customer_calls", self.customer_calls),
                ("prospect_calls", self.prospect_calls),
                ("call_h", self.call_h),
            )
            for tier in TIERS
            if not table.get(tier, -1) >= 0
        ]
        faults += [
            Fault("settings", name, "", f"{getattr(self, name)}", "give a number above zero")
            for name in ("calls_per_day", "speed_km_h", "circuity", "flight_h", "flight_km_h", "year_h")
            if not getattr(self, name) > 0
        ]
        if not 0 <= self.non_selling_share < 1:
            found = f"{self.non_selling_share}"
            faults.append(Fault("settings", "non_selling_share", "", found, "give 0 to below 1"))
        if faults:
            raise BadInput(faults)

    @property
    def rep_h(self) -> float:
        """
        Hours a year that one rep has for customers, travel included.

        Returns
        -------
        float
            Hours.
        """
        return self.year_h * (1 - self.non_selling_share)


def planned_calls(accounts: pd.DataFrame, plan: CallPlan) -> pd.DataFrame:
    """
    Return the calls that a plan gives each account.

    Parameters
    ----------
    accounts : DataFrame
        By ``account_id``: ``tier`` (A to D), ``customer`` (bool).
    plan : CallPlan
        Calls and hours by tier.

    Returns
    -------
    DataFrame
        By ``account_id``: ``calls`` a year, ``call_h`` hours a year with preparation.
    """
    strange = accounts.loc[~accounts["tier"].isin(TIERS), "tier"]
    if len(strange):
        raise BadInput(
            Fault("accounts", "tier", str(row), f"{tier!r} is no tier", "give A, B, C or D")
            for row, tier in strange.items()
        )
    tier, customer = accounts["tier"], accounts["customer"].astype(bool)
    calls = tier.map(plan.customer_calls).where(customer, tier.map(plan.prospect_calls)).astype(float)
    hours = calls * (tier.map(plan.call_h).astype(float) + plan.preparation_h)
    return pd.DataFrame({"calls": calls, "call_h": hours}, index=accounts.index)


def tour_km(stops: np.ndarray, area_km2: np.ndarray) -> np.ndarray:
    """
    Return the length of a shortest tour through stops spread evenly over an area.

    ``0.7124 sqrt(n A) + 0.62 sqrt(A)`` (Beardwood, Halton and Hammersley 1959, with the edge of the area), and never
    more than n mean distances between two points, which is exact for two and three stops.

    Parameters
    ----------
    stops : array
        Number of stops; one stop has no tour.
    area_km2 : array
        Area, of the same shape.

    Returns
    -------
    array
        Kilometres as the crow flies.
    """
    stops = np.asarray(stops, dtype=float)
    few = MEAN_STEP * np.minimum(stops, 2 * np.maximum(stops - 1, 0))
    return np.asarray(np.minimum(few, LONG_TOUR * np.sqrt(stops) + EDGE) * np.sqrt(area_km2))


def workload_parts(accounts: pd.DataFrame, units: pd.DataFrame, plan: CallPlan) -> pd.DataFrame:
    """
    Return what each unit asks for in a year, whoever serves it.

    Calls come in rounds: the first visits every account of the unit, the next those with a second call, and so on; each
    round is one shortest tour. Accounts that cluster in one corner of a unit need less. An area that is not known
    counts as none.

    Parameters
    ----------
    accounts : DataFrame
        By ``account_id``: ``unit_id``, ``tier`` (A to D), ``customer`` (bool); accounts without a unit are left out.
    units : DataFrame
        By ``unit_id``: ``area_km2``.
    plan : CallPlan
        Calls and hours by tier.

    Returns
    -------
    DataFrame
        By ``unit_id``: ``accounts``, ``calls`` a year, ``call_h`` with preparation, ``local_travel_h``.
    """
    placed = accounts[accounts["unit_id"].notna()]
    unknown = placed.loc[~placed["unit_id"].isin(units.index), "unit_id"]
    if len(unknown):
        raise BadInput(
            Fault("accounts", "unit_id", str(row), f"{unit} is no unit", "correct it or add the unit")
            for row, unit in unknown.items()
        )
    asked = planned_calls(placed, plan)
    unit = placed["unit_id"]
    parts = asked.groupby(unit).sum()
    parts.insert(0, "accounts", unit.value_counts())
    parts = parts.reindex(units.index, fill_value=0.0).rename_axis("unit_id")
    tours = np.zeros(len(units))
    area = units["area_km2"].fillna(0.0).to_numpy(dtype=float)
    done = 0.0
    for calls in sorted(set(asked["calls"]) - {0.0}):
        stops = unit[asked["calls"] >= calls].value_counts().reindex(units.index, fill_value=0)
        tours += (calls - done) * tour_km(stops.to_numpy(), area)
        done = calls
    return parts.assign(local_travel_h=tours * plan.circuity / plan.speed_km_h)


def unit_workload(accounts: pd.DataFrame, units: pd.DataFrame, plan: CallPlan) -> pd.Series:
    """
    Return the hours a year that each unit asks for: calls, preparation and travel inside the unit.

    Travel from home depends on who serves the unit: see ``travel_h``.

    Parameters
    ----------
    accounts : DataFrame
        By ``account_id``: ``unit_id``, ``tier`` (A to D), ``customer`` (bool).
    units : DataFrame
        By ``unit_id``: ``area_km2``.
    plan : CallPlan
        Calls and hours by tier.

    Returns
    -------
    Series
        ``workload_h`` by ``unit_id``.
    """
    parts = workload_parts(accounts, units, plan)
    return (parts["call_h"] + parts["local_travel_h"]).rename("workload_h")


def travel_h(
    calls: pd.Series,
    units: pd.DataFrame,
    alignment: pd.Series,
    homes: pd.DataFrame,
    plan: CallPlan,
    *,
    known_km: pd.DataFrame | None = None,
) -> pd.Series:
    """
    Return the hours a year on the road between a rep's home and each unit.

    A trip goes out, makes a day's calls (or several days' with nights away, where that costs less a call) and comes
    home; parts of trips count as parts, since near units share them. The rep drives or flies, whichever is shorter.

    Parameters
    ----------
    calls : Series
        Calls a year by ``unit_id``.
    units : DataFrame
        By ``unit_id``: ``lon``, ``lat`` in degrees.
    alignment : Series
        Territory of each ``unit_id``.
    homes : DataFrame
        By ``territory_id``: ``lon``, ``lat`` of the rep's home, or of the territory's centre.
    plan : CallPlan
        Calls a day, nights, speed, circuity.
    known_km : DataFrame, optional
        Km between units and homes (by ``unit_id``, a column for each territory), in place of the great circle's.

    Returns
    -------
    Series
        ``travel_h`` by ``unit_id``; missing where the unit has no territory or the territory no home.
    """
    place = units[["lon", "lat"]].reindex(calls.index)
    home = homes[["lon", "lat"]].reindex(alignment.reindex(calls.index))
    km = great_circle_km(place["lon"], place["lat"], home["lon"], home["lat"])
    if known_km is not None:
        row, column = known_km.index.get_indexer(place.index), known_km.columns.get_indexer(home.index)
        found = known_km.to_numpy(float)[row, column]
        km = np.where((row < 0) | (column < 0) | np.isnan(found), km, found)
    there_and_back = 2 * np.minimum(km * plan.circuity / plan.speed_km_h, plan.flight_h + km / plan.flight_km_h)
    away = (there_and_back + plan.nights * plan.night_h) / (plan.nights + 1)
    hours = calls.to_numpy() * np.minimum(there_and_back, away) / plan.calls_per_day
    return pd.Series(hours, index=calls.index, name="travel_h")


def headcount(workload_h: float | pd.Series, rep_h: float, spread: float = 0.1) -> pd.DataFrame:
    """
    Return how many reps a workload asks for, with a 90 % interval.

    Parameters
    ----------
    workload_h : float or Series
        Hours a year in all, or by region. Calls and calls a rep make will do as well.
    rep_h : float
        Hours a year one rep has for it.
    spread : float, default 0.1
        Standard deviation of the logarithm of true over planned hours: how far calls, their length and a rep's year
        may together be off. It is common to all regions, so that a total is no surer than its parts.

    Returns
    -------
    DataFrame
        By ``region`` ("all" for one number): ``workload_h``, ``reps`` (with fraction), ``low``, ``high``, and
        ``heads`` (whole reps, rounded up).
    """
    hours = workload_h if isinstance(workload_h, pd.Series) else pd.Series({"all": float(workload_h)})
    if not rep_h > 0:
        raise BadInput([Fault("settings", "rep_h", "", f"{rep_h}", "give a rep hours above zero")])
    reps = hours / rep_h
    width = float(np.exp(Z_90 * spread))
    table = pd.DataFrame({"workload_h": hours, "reps": reps, "low": reps / width, "high": reps * width})
    return table.assign(heads=np.ceil(reps.round(9)).astype(int)).rename_axis("region")


def time_use(calls: pd.DataFrame, accounts: pd.DataFrame, plan: CallPlan, years: float = 1.0) -> pd.DataFrame:
    """
    Return how reps spent their calls, against the plan.

    Parameters
    ----------
    calls : DataFrame
        ``account_id``, ``rep_id`` and, if known, ``duration_h``: the calls of the period.
    accounts : DataFrame
        By ``account_id``: ``owner_id`` (the rep), ``tier``, ``customer``.
    plan : CallPlan
        Calls and hours by tier.
    years : float, default 1.0
        Length of the period.

    Returns
    -------
    DataFrame
        By ``rep_id``: ``planned`` and ``made`` calls a year, ``on_plan_share`` (of the planned calls, made),
        ``off_plan_share`` (of the calls made, beyond the plan or to accounts of others), ``call_h`` (hours a year,
        without preparation; missing where no duration is known).
    """
    wanted = planned_calls(accounts, plan)["calls"].groupby([accounts["owner_id"], accounts.index]).sum()
    wanted.index.names = ["rep_id", "account_id"]
    made = calls.groupby(["rep_id", "account_id"]).size() / years
    both = pd.concat({"planned": wanted, "made": made}, axis=1).fillna(0.0)
    kept = both.min(axis=1).groupby("rep_id").sum()
    table = both.groupby("rep_id").sum()
    known = "duration_h" in calls
    hours = calls.groupby("rep_id")["duration_h"].sum(min_count=1) / years if known else np.nan
    return table.assign(
        on_plan_share=kept / table["planned"].where(table["planned"] > 0),
        off_plan_share=1 - kept / table["made"].where(table["made"] > 0),
        call_h=hours,
    )
