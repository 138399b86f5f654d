"""Small grids a person can check by eye, and the search through all their plans."""

import itertools

import numpy as np
import pandas as pd

from territory_lab.alignment import Problem


def grid(rows: int, columns: int) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Units ``u<row><column>`` one km apart with ``w`` 1, and the pairs that share a side."""
    cells = list(itertools.product(range(rows), range(columns)))
    units = pd.DataFrame(
        {"x_km": [float(c) for _, c in cells], "y_km": [float(r) for r, _ in cells], "w": 1.0},
        index=pd.Index([f"u{r}{c}" for r, c in cells], name="unit_id"),
    )
    pairs = [(f"u{r}{c}", f"u{r}{c + 1}") for r, c in cells if c + 1 < columns]
    pairs += [(f"u{r}{c}", f"u{r + 1}{c}") for r, c in cells if r + 1 < rows]
    return units, pairs


def connected(chosen: set[str], pairs: list[tuple[str, str]]) -> bool:
    """Whether the units hang together."""
    reached, grown = {min(chosen)}, True
    while grown:
        more = {b for a, b in pairs if a in reached and b in chosen} | {
            a for a, b in pairs if b in reached and a in chosen
        }
        grown = not more <= reached
        reached |= more
    return reached == chosen


def best_by_brute_force(problem: Problem) -> float | None:
    """Least objective over every assignment to fixed homes on the plane with one activity, or None."""
    units, homes = problem.units, problem.territories
    (activity, tolerance), n, k = next(iter(problem.balance.items())), len(units), len(homes)
    plans = np.indices((k,) * n).reshape(n, -1).T
    apart = units[["x_km", "y_km"]].to_numpy()[:, None] - homes[["x_km", "y_km"]].to_numpy()
    cost = np.hypot(*apart.transpose(2, 0, 1)) ** problem.power * units[activity].to_numpy()[:, None]
    total = cost[np.arange(n), plans].sum(axis=1)
    target = units[activity].sum() / k
    good = np.ones(len(plans), bool)
    for j in range(k):
        load = (plans == j) @ units[activity].to_numpy()
        good &= (np.abs(load - target) <= tolerance * target + 1e-9) & (plans == j).any(axis=1)
    pairs = None if problem.neighbours is None else list(problem.neighbours.itertuples(index=False, name=None))
    for row in np.flatnonzero(good)[np.argsort(total[good], kind="stable")]:
        members = [set(units.index[plans[row] == j]) for j in range(k)]
        if pairs is None or all(connected(chosen, pairs) for chosen in members):
            return float(total[row])
    return None


def pair_costs(problem: Problem) -> np.ndarray:
    """Weighted distances from every unit to every possible centre, by the textbook formulas."""
    units = problem.units
    if isinstance(problem.distance, pd.DataFrame):
        far = problem.distance.loc[units.index].fillna(np.inf).to_numpy()
    elif problem.distance == "euclidean":
        east, north = units["x_km"].to_numpy(), units["y_km"].to_numpy()
        far = np.hypot(east[:, None] - east, north[:, None] - north)
    else:
        lon, lat = np.radians(units["lon"].to_numpy()), np.radians(units["lat"].to_numpy())
        dot = np.sin(lat[:, None]) * np.sin(lat) + np.cos(lat[:, None]) * np.cos(lat) * np.cos(lon[:, None] - lon)
        far = 6371.0088 * np.arccos(np.clip(dot, -1, 1))
    reached = np.where(np.isinf(far), 0.0, far)
    return np.where(np.isinf(far), np.inf, units[problem.weight_column].to_numpy()[:, None] * reached**problem.power)


def best_with_any_centres(problem: Problem) -> float | None:
    """Least cost over all splits into territories within their bands, each with its own best centre, or None."""
    cost, n, k = pair_costs(problem), len(problem.units), problem.territories
    shared = isinstance(problem.distance, pd.DataFrame)
    pairs = None if problem.neighbours is None else list(problem.neighbours.itertuples(index=False, name=None))
    loads = problem.units[problem.activities].to_numpy()
    target, tolerance = loads.sum(axis=0) / k, np.array(list(problem.balance.values()))
    chosen = np.indices((2,) * n).reshape(n, -1).T.astype(bool)
    within = (np.abs(chosen @ loads - target) <= tolerance * target + 1e-9).all(axis=1) & chosen.any(axis=1)
    choices = {}
    for members in map(np.flatnonzero, chosen[within]):
        if pairs is None or connected(set(problem.units.index[members]), pairs):
            reach = cost[members] if shared else cost[np.ix_(members, members)]
            choices[frozenset(members.tolist())] = reach.sum(axis=0).min()

    def complete(left: frozenset[int], parts: int) -> float:
        """Least cost of splitting what is left; the part with its first unit comes first."""
        if parts == 1:
            return choices.get(left, np.inf)
        first = min(left)
        rest = (c for c in choices if first in c and c < left)
        return min((choices[c] + complete(left - c, parts - 1) for c in rest), default=np.inf)

    least = complete(frozenset(range(n)), k)
    return None if least == np.inf else least
