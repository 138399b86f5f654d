"""One report of a workspace, as the command line asks for it."""

import re
from pathlib import Path

from territory_lab.audience import Audience
from territory_lab.charts.speech import speaking
from territory_lab.journey.drafts import PROPOSAL
from territory_lab.reporting.audience import PICTURES, narrowed
from territory_lab.reporting.paper import pdf
from territory_lab.reporting.pictures import FEW, MOST, pictures
from territory_lab.reporting.report import report
from territory_lab.reporting.sheets import xlsx
from territory_lab.reporting.slides import pptx
from territory_lab.reporting.story import tell
from territory_lab.reporting.what_if import what_if
from territory_lab.workspace import Workspace


def make(
    space: Workspace,
    folder: Path,
    *,
    scenario: str = PROPOSAL,
    compare: str = "",
    audience: Audience = Audience.FULL,
    who: str = "",
    language: str = "en_US",
    kinds: frozenset[str] = frozenset(),
) -> list[Path]:
    """
    Write a report and the other forms it is wanted in.

    Parameters
    ----------
    space : Workspace
        Whose steps are computed where they are not there.
    folder : Path
        Of the files, which are named after scenario and audience.
    scenario, compare : str
        As in :func:`territory_lab.reporting.story.tell`.
    audience : Audience
        Who reads it.
    who : str
        Which manager or rep.
    language : str
        A locale with a catalogue.
    kinds : frozenset of str
        Any of pdf, xlsx and pptx.

    Returns
    -------
    list of Path
        The page first.
    """
    told = narrowed(space, tell(space, scenario, compare), audience, who)
    name = "-".join(filter(None, ("report", _plain(scenario), audience.value, _plain(who))))
    most = FEW if audience is Audience.BOARD else MOST
    with speaking(language):
        figures = pictures(told.numbers, **told.drawn, only=PICTURES[audience], most=most)
        live = what_if(told) if audience is Audience.FULL else None
        written = [report(told.numbers, folder / f"{name}.html", figures, audience=audience.value, live=live)]
        if "pdf" in kinds:
            written.append(pdf(written[0]))
        if "xlsx" in kinds:
            written.append(xlsx(told.numbers, folder / f"{name}.xlsx"))
        if "pptx" in kinds:
            written.append(pptx(told.numbers, figures, folder / f"{name}.pptx"))
    return written


def _plain(name: str) -> str:
    """Keep of a name what is safe in a file's name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:40]
