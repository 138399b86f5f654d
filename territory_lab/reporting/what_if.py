"""The plan as a map that the reader may change: what the page's own script sums up, and keeps nowhere."""

import base64
import json

import numpy as np
import pandas as pd
from markupsafe import Markup

from territory_lab.canvas.legend import named
from territory_lab.canvas.scene import NOBODY, onto, outlines, tints
from territory_lab.maps import sheet
from territory_lab.reporting.story import Story

MOST = 750_000  # characters, so that the page stays within 1.5 MB; 3,220 counties and 300 territories take fewer


def what_if(story: Story) -> Markup | None:
    """
    Gather what the map needs, as JSON that may stand in a page; arrays are base64 of little-endian numbers.

    Parameters
    ----------
    story : Story
        Whole: the map knows every place and every territory.

    Returns
    -------
    Markup or None
        None where there is no geometry, or more of it than a page should carry.
    """
    if not story.drawn:
        return None
    step, places = story.results["territories"], story.drawn["units"]
    page, owner, held, load = sheet(places), step["alignment"]["territory_id"], step["proposed"], step["units"]
    homes = page.place(step["territories"]["lon"], step["territories"]["lat"])
    colours, codes = tints(page, owner), held.index.get_indexer(pd.Index(owner.reindex(load.index)))
    targets = {
        "workload_h": held["workload_h"] / (1 + held["deviation_workload_h"]),
        "potential": pd.Series(held["potential"].mean(), held.index),
    }
    told = outlines(page, load.index, named(load)) | {
        "owner": np.where(codes < 0, NOBODY, codes).astype("<u2"),
        "territories": [{"id": str(name), "tint": colours.get(str(name), 0)} for name in held.index],
        "homes": onto(page, homes[np.isfinite(homes).all(axis=1)]).round(1).tolist(),
        "tolerance": float(step.facts["tolerance_share"]),
        "measures": [
            {"values": load[name].to_numpy("<f4"), "target": due.fillna(due.mean()).tolist()}
            for name, due in targets.items()
        ],
    }
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_packed)
    safe = Markup(text.replace("<", "\\u003c"))  # noqa: S704 - JSON in which no tag can begin
    return safe if len(safe) <= MOST else None


def _packed(numbers: bytes | np.ndarray) -> dict[str, str]:
    """Write numbers as text."""
    return {"base64": base64.b64encode(bytes(numbers)).decode()}
