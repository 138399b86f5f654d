"""Small grids a person can check by eye, and the search through all their plans."""

import itertools

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
        more = {b for a, b in pairs if a in reached and b in chosen} | {a for a, b in pairs if b in reached and a in chosen}
        grown = not more <= reached
        reached |= more
    return reached == chosen


def best_by_brute_force(problem: Problem) -> float | None:
    """Least objective over every assignment to fixed homes on the plane with one activity, or None."""
    units, homes = problem.units, problem.territories
    (activity, tolerance), k = next(iter(problem.balance.items())), len(homes)
    target = units[activity].sum() / k
    far = [
        [((u.x_km - h.x_km) ** 2 + (u.y_km - h.y_km) ** 2) ** (problem.power / 2) * u.w for h in homes.itertuples()]
        for u in units.itertuples()
    ]
    pairs = None if problem.neighbours is None else list(problem.neighbours.itertuples(index=False, name=None))
    best = None
    for plan in itertools.product(range(k), repeat=len(units)):
        load = [0.0] * k
        total = 0.0
        for unit, j in enumerate(plan):
            load[j] += units[activity].iloc[unit]
            total += far[unit][j]
        if best is not None and total >= best:
            continue
        if any(abs(part - target) > tolerance * target + 1e-9 for part in load) or len(set(plan)) < k:
            continue
        members = [{units.index[u] for u, owner in enumerate(plan) if owner == j} for j in range(k)]
        if pairs is None or all(connected(chosen, pairs) for chosen in members):
            best = total
    return best
