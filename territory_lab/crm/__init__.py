"""CRM exports in, load files out: sheets -> layout -> intake -> workspace, and an alignment -> Salesforce."""

from territory_lab.crm import salesforce, today
from territory_lab.crm.intake import Intake, create, read
from territory_lab.crm.layout import CRMS, Layout

__all__ = ["CRMS", "Intake", "Layout", "create", "read", "salesforce", "today"]
