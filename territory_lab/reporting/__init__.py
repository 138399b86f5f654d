"""Reports: numbers -> template -> one self-contained file; notebooks as pages of the same look."""

from territory_lab.audience import Audience
from territory_lab.reporting.arrival import arrival
from territory_lab.reporting.audience import narrowed
from territory_lab.reporting.execute import execute
from territory_lab.reporting.make import make
from territory_lab.reporting.notebook import export_notebook
from territory_lab.reporting.numbers import gather, key_figures
from territory_lab.reporting.paper import pdf
from territory_lab.reporting.pictures import comparison, pictures
from territory_lab.reporting.report import report
from territory_lab.reporting.sheets import xlsx
from territory_lab.reporting.slides import pptx
from territory_lab.reporting.story import Story, tell
from territory_lab.reporting.telling import KeyNumber, decision, key_numbers
from territory_lab.reporting.whole import write_all

__all__ = [
    "Audience",
    "KeyNumber",
    "Story",
    "arrival",
    "comparison",
    "decision",
    "execute",
    "export_notebook",
    "gather",
    "key_figures",
    "key_numbers",
    "make",
    "narrowed",
    "pdf",
    "pictures",
    "pptx",
    "report",
    "tell",
    "write_all",
    "xlsx",
]
