"""The data-quality page: what an export held, what was found in it, what was done about it, and what that changes."""

from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from territory_lab import quality
from territory_lab.charts import tables
from territory_lab.charts.words import count, plural
from territory_lab.crm import Intake
from territory_lab.reporting.page import Section, write_page

_CHANGES = {  # an emptied cell, by its column
    "owner_id": "it counts for no rep until its owner is known",
    "parent_id": "it stands alone, outside of any group",
    "lon": "it is placed by its postcode, where it has one",
    "lat": "it is placed by its postcode, where it has one",
    "sector": "it counts in no sector",
}


def arrival(intake: Intake, path: Path) -> Path:
    """
    Write the data-quality page of an export.

    Parameters
    ----------
    intake : Intake
        As it was read.
    path : Path
        The HTML file.

    Returns
    -------
    Path
        The same.
    """
    twins = quality.twins(intake.tables["accounts"].replace("", None))
    sections = [Section("rows", "Every row accounted for"), Section("found", "What was found, and what was done")]
    sections += [Section("twins", "Accounts that look like one firm")] if len(twins) else []
    sections += [Section("assumed", "What was assumed")] if intake.notes else []
    return write_page(
        "arrival.html.j2",
        path,
        title="What the export held",
        sections=sections,
        ledger=intake.ledger.to_dict("records"),
        used=int(intake.ledger["used"].sum()),
        rows=int(intake.ledger["rows"].sum()),
        found=findings(intake.aside).to_dict("records"),
        twins=twins.head(100).to_dict("records"),
        twin_count=len(twins),
        notes=intake.notes,
        count=count,
        table=lambda rows, columns: Markup(tables.table(rows, columns).html),  # noqa: S704 - its cells are escaped
        plural=plural,
    )


def findings(aside: pd.DataFrame) -> pd.DataFrame:
    """
    Sum up what was set aside, by kind.

    Parameters
    ----------
    aside : DataFrame
        As `Intake` gives it.

    Returns
    -------
    DataFrame
        table, column, count, done (``left-out row`` or ``emptied cell``), example (of the reason, with its line),
        changes (what follows for the figures), mend; the most frequent first.
    """
    kinds = aside.groupby(["table", "column", "what", "mend"], sort=False)
    rows: list[dict[str, Any]] = []
    for (table, column, what, mend), group in kinds:
        first = group.iloc[0]
        changes = (
            "the row counts nowhere" if what == "row" else _CHANGES.get(str(column), "its value counts as not known")
        )
        done = "left-out row" if what == "row" else "emptied cell"
        example = f"{first['file']}, line {first['line']}: {first['reason']}"
        rows.append(
            {"table": table, "column": column, "count": len(group), "done": done, "example": example}
            | {"changes": changes, "mend": mend}
        )
    columns = ["table", "column", "count", "done", "example", "changes", "mend"]
    return pd.DataFrame(rows, columns=columns).sort_values("count", ascending=False, kind="stable", ignore_index=True)
