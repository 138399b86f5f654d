"""CDNOW: purchases of 2,357 customers over 39 weeks, foretold from the 39 weeks before (Fader, Hardie and Lee 2005)."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from territory_lab import book
from territory_lab.propensity.metrics import Floats
from territory_lab.propensity.value import BuyTillYouDie, fit_purchases, forecast_revenue
from territory_lab.shipped import data
from territory_lab.timeline import data_end
from territory_lab.workspace import Workspace
from tests.benchmarks.common import show
from tests.benchmarks.packaged import packaged

WEEKS = 39.0
CUT, END = pd.Timestamp("1997-09-30"), pd.Timestamp("1998-06-30")
PUBLISHED = BuyTillYouDie(0.243, 4.414, 0.793, 2.426)


def customers() -> tuple[tuple[Floats, Floats, Floats], Floats]:
    """Give repeats, last purchase and age of each customer in weeks, and its purchases afterwards, by day."""
    folder = packaged("lifetimes", "datasets")
    known = pd.read_csv(folder / "cdnow_customers_summary.csv")
    names = ["master", "ID", "date", "discs", "amount"]
    sales = pd.read_csv(folder / "CDNOW_sample.txt", sep=r"\s+", names=names, dtype={"ID": int, "date": str})
    sales["date"] = pd.to_datetime(sales["date"], format="%Y%m%d")
    later = sales[(sales["date"] > CUT) & (sales["date"] <= END)].drop_duplicates(["ID", "date"])
    count = later.groupby("ID").size().reindex(known["ID"], fill_value=0).to_numpy(float)
    frequency, recency, age = (known[column].to_numpy(float) for column in ("frequency", "recency", "T"))
    return (frequency, recency, age), count


def rows() -> Iterator[dict[str, object]]:
    """Set our fit beside the published one and a constant rate."""
    calibration, later = customers()
    repeats, _, age = calibration
    fitted = fit_purchases(*calibration)
    for name, model, foretold in (
        ("ours", fitted, fitted.expected(*calibration, WEEKS)),
        ("published parameters", PUBLISHED, PUBLISHED.expected(*calibration, WEEKS)),
        ("the rate goes on", None, repeats / age * WEEKS),
    ):
        yield {
            "model": name,
            "parameters": "" if model is None else ", ".join(f"{value:.3f}" for value in model),
            "MAE": float(np.abs(foretold - later).mean()),
            "total, 39 weeks": f"{foretold.sum() / later.sum() - 1:+.1%}",
            "total, 78 weeks": f"{(repeats.sum() + foretold.sum()) / (repeats.sum() + later.sum()) - 1:+.1%}",
        }


def kept() -> Iterator[dict[str, object]]:
    """Count how many customers and counties of the sample company keep the 90 % interval of their forecast."""
    space = Workspace(data("sample"))
    orders, known = space.tables["orders"], book.accounts(space, book.units(space))
    for days in (365, 180, 90):
        as_of = data_end(space.tables) - pd.Timedelta(days=days)
        found = forecast_revenue(orders, as_of, days)
        later = orders[orders["order_date"] >= as_of].groupby("account_id")["amount"].sum()
        actual = later.reindex(found.expected.index, fill_value=0.0)
        inside = (actual >= found.interval["low"]) & (actual <= found.interval["high"])
        units = known["unit_id"].reindex(actual.index)
        sums, bands = actual.groupby(units).sum(), found.summed(units)
        yield {
            "days": days,
            "method": found.method,
            "customers inside": float(inside.mean()),
            "counties inside": float(((sums >= bands["low"]) & (sums <= bands["high"])).mean()),
            "total": f"{found.expected.sum() / actual.sum() - 1:+.1%}",
        }


def main() -> None:
    """Print the tables."""
    show("Purchases of 39 weeks, CDNOW", rows())
    show("90 % intervals of revenue, sample company", kept())
