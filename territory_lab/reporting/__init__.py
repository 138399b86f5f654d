"""Reports: numbers -> template -> one self-contained file; notebooks as pages of the same look."""

from territory_lab.reporting.arrival import arrival
from territory_lab.reporting.execute import execute
from territory_lab.reporting.notebook import export_notebook
from territory_lab.reporting.numbers import KeyNumber, decision, gather, key_numbers
from territory_lab.reporting.pictures import comparison, pictures
from territory_lab.reporting.summary import summary
from territory_lab.reporting.whole import write_all

__all__ = [
    "KeyNumber",
    "arrival",
    "comparison",
    "decision",
    "execute",
    "export_notebook",
    "gather",
    "key_numbers",
    "pictures",
    "summary",
    "write_all",
]
