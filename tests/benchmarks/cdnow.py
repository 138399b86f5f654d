"""CDNOW: purchases of 2,357 customers over 39 weeks, foretold from the 39 weeks before (Fader, Hardie and Lee 2005)."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from territory_lab.propensity.metrics import Floats
from territory_lab.propensity.value import BuyTillYouDie, fit_purchases
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


def main() -> None:
    """Print the table."""
    show("Purchases of 39 weeks, CDNOW", rows())
