import numpy as np
import pandas as pd
import pytest

START, END = pd.Timestamp("2023-07-01"), pd.Timestamp("2026-07-01")
SIZE = 1_200
PRODUCTS = [f"p{i}" for i in range(6)]


@pytest.fixture(scope="session")
def company() -> dict[str, pd.DataFrame]:
    """Return 1,200 accounts, 900 of them customers, who buy p1 ten times as often once they own p0."""
    rng = np.random.default_rng(7)
    ids = [f"a{i:04d}" for i in range(SIZE)]
    sector = rng.choice(["23", "42", "54"], SIZE)
    accounts = pd.DataFrame(
        {
            "account_id": ids,
            "parent_id": [ids[i - 1] if i % 10 == 9 else None for i in range(SIZE)],
            "sector": sector,
            "employees": np.round(rng.lognormal(3, 1.3, SIZE)) + 1,
            "created_date": START - pd.Timedelta(days=100),
        }
    )
    rate = rng.gamma(2.0, 0.9, SIZE) * (np.arange(SIZE) < 900)
    days = (END - START).days
    parts = []
    for account in np.flatnonzero(rate):
        count = rng.poisson(rate[account] * days / 365)
        stop = days if rng.random() < 0.7 else rng.integers(200, days)
        when = np.sort(rng.integers(0, days, count))
        when = when[when < stop]
        liking = np.array([3.0, 0.2, 1.0, 1.0, 1.0, 0.5 if sector[account] == "42" else 0.0])
        bought = []
        for _ in when:
            weight = liking * np.where(np.arange(6) == 1, 10.0 if 0 in bought else 1.0, 1.0)
            bought.append(int(rng.choice(6, p=weight / weight.sum())))
        amount = rng.gamma(4.0, 50.0, len(when)) * accounts["employees"][account] ** 0.4
        parts.append(pd.DataFrame({"account_id": ids[account], "day": when, "product": bought, "amount": amount}))
    events = pd.concat(parts, ignore_index=True)
    orders = pd.DataFrame(
        {
            "order_id": [f"o{i}" for i in range(len(events))],
            "account_id": events["account_id"],
            "product_id": [PRODUCTS[int(i)] for i in events["product"]],
            "order_date": START + pd.to_timedelta(events["day"], unit="D"),
            "amount": events["amount"].round(2),
        }
    )
    products = pd.DataFrame({"product_id": PRODUCTS, "name": PRODUCTS, "sector": [None] * 5 + ["42"]})
    return {"accounts": accounts, "products": products, "orders": orders}
