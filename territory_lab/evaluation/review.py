"""When an alignment is due for review, and the smallest mend."""

import numpy as np
import pandas as pd


def triggers(
    by_territory: pd.DataFrame,
    planned: pd.DataFrame | None = None,
    reps: pd.DataFrame | None = None,
    *,
    tolerance: float = 0.15,
    market_change: float = 0.15,
) -> pd.DataFrame:
    """
    Return the territories that are due for review, why, and the smallest mend.

    Parameters
    ----------
    by_territory : DataFrame
        By ``territory_id``: activities and, for each balanced one, ``deviation_<activity>`` (share from its target).
    planned : DataFrame, optional
        The same table when the alignment was made; its ``potential`` shows how the market has moved.
    reps : DataFrame, optional
        ``territory_id`` of every rep now; a territory that nobody holds is vacant.
    tolerance : float, default 0.15
        Allowed deviation of an activity from its target.
    market_change : float, default 0.15
        Allowed change of potential since the plan, beyond the change of the whole.

    Returns
    -------
    DataFrame
        ``territory_id``, ``trigger`` (balance, market, vacancy), ``activity``, ``value`` and ``limit`` (shares),
        ``mend`` (words); the widest first.
    """
    rows = []
    for name in [column for column in by_territory if str(column).startswith("deviation_")]:
        rows += _drifted(by_territory, str(name).removeprefix("deviation_"), tolerance)
    if planned is not None:
        rows += _market_moved(by_territory["potential"], planned["potential"], market_change)
    if reps is not None:
        vacant = by_territory.index.difference(pd.Index(reps["territory_id"].dropna()))
        words = "Name a rep, or share its units among the neighbours."
        rows += [(territory, "vacancy", "", 1.0, 0.0, words) for territory in vacant]
    table = pd.DataFrame(rows, columns=["territory_id", "trigger", "activity", "value", "limit", "mend"])
    return table.sort_values("value", key=abs, ascending=False, kind="stable", ignore_index=True)


_Row = tuple[object, str, str, float, float, str]


def _drifted(table: pd.DataFrame, activity: str, tolerance: float) -> list[_Row]:
    """Name territories out of balance and the one with most room to give to or take from."""
    deviation = table[f"deviation_{activity}"]
    load = table[activity].astype(float)
    target = (load / (1 + deviation).where(deviation > -1)).fillna(load.mean())
    give = load - target * (1 + tolerance)
    take = target * (1 - tolerance) - load
    rows: list[_Row] = []
    for place in np.flatnonzero(deviation.abs() > tolerance).tolist():
        over = give.iloc[place] > 0
        amount, room = (give.iloc[place], -give) if over else (take.iloc[place], -take)
        partner = int(room.to_numpy().argmax())
        verb, other = ("Hand", "to") if over else ("Take", "from")
        mend = f"{verb} {amount:,.0f} of {activity} {other} its neighbours"
        spare = f"; {table.index[partner]} has most room ({room.iloc[partner]:,.0f})" if room.iloc[partner] > 0 else ""
        rows.append(
            (table.index[place], "balance", activity, float(deviation.iloc[place]), tolerance, f"{mend}{spare}.")
        )
    return rows


def _market_moved(potential: pd.Series, planned: pd.Series, limit: float) -> list[_Row]:
    """Name territories whose potential has moved against that of all."""
    both = pd.concat([potential, planned], axis=1, keys=["now", "then"]).dropna()
    change = both["now"] / both["then"] / (both["now"].sum() / both["then"].sum()) - 1
    mend = "Realign with today's potential; its quota is out of date too."
    return [
        (territory, "market", "potential", float(value), limit, mend)
        for territory, value in change[change.abs() > limit].items()
    ]
