"""Salesforce asked directly: one query for each object that the layout knows; nothing is ever written there."""

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from territory_lab.crm import _matching
from territory_lab.crm._sheets import Sheet
from territory_lab.crm.layout import Layout
from territory_lab.errors import BadInput, Fault

TOKEN = "TERRITORY_LAB_SALESFORCE_TOKEN"  # noqa: S105 - where it stands, not what it is
_LOCAL = ("127.0.0.1", "localhost", "::1")


def is_address(source: str) -> bool:
    """Whether that names an organisation on the web."""
    return source.startswith(("https://", "http://"))


def read_sheets(address: str, layout: Layout) -> list[Sheet]:
    """Ask for the fields that the layout knows of each object that is there."""
    try:
        from requests.exceptions import RequestException  # noqa: PLC0415 - an extra
        from simple_salesforce.exceptions import SalesforceError  # noqa: PLC0415
    except ImportError:
        raise _refused("needs simple-salesforce", "pip install territory-lab[salesforce]") from None
    problem = ""
    try:
        return list(_sheets(_connected(address), layout))
    except (SalesforceError, RequestException) as error:
        problem = " ".join(str(error).replace(os.environ.get(TOKEN) or "\0", "***").split())
    raise _refused(problem, f"see the address, and the access token in {TOKEN}")


def _connected(address: str) -> Any:  # noqa: ANN401 - the library ships its types from 1.12.6 on only
    """Take the token from the environment, and let it go nowhere unsealed."""
    from requests import Session  # noqa: PLC0415 - an extra
    from simple_salesforce.api import Salesforce  # noqa: PLC0415

    parts = urlsplit(address)
    if parts.username or parts.password or parts.query:
        raise _refused("the address carries more than a host", f"write https://yours.my.salesforce.com and set {TOKEN}")
    if parts.scheme != "https" and parts.hostname not in _LOCAL:
        raise _refused("the address is not sealed", "write https://")
    token = os.environ.get(TOKEN)
    if not token:
        raise _refused("asks who you are", f"set {TOKEN} in the environment to an access token")
    session = Session()
    session.trust_env = False  # no other credentials, no proxy
    session.max_redirects = 0
    asked = Salesforce(instance_url=f"https://{parts.netloc}", session_id=token, session=session)
    asked.base_url = asked.base_url.replace("https://", f"{parts.scheme}://", 1)
    return asked


def _sheets(asked: Any, layout: Layout) -> Iterator[Sheet]:  # noqa: ANN401
    """Query each object once, page by page."""
    there = {entry["name"] for entry in asked.restful("sobjects")["sobjects"]}
    for name, table in layout.tables.items():
        for thing in [file for file in table.files if file in there][:1]:
            known = [field["name"] for field in asked.restful(f"sobjects/{thing}/describe")["fields"]]
            names = set(_matching.match(layout, name, known).values())
            fields = [field for field in known if any(field in wanted.split(" + ") for wanted in names)]
            query = f"SELECT {', '.join(fields)} FROM {thing}"  # noqa: S608 - names that Salesforce told us
            rows = [[_text(row[field]) for field in fields] for row in _records(asked, query)]
            cells = pd.DataFrame(rows, columns=fields, dtype="str")
            yield Sheet(thing, cells.set_axis(pd.RangeIndex(1, len(cells) + 1, name="line")), how="asked")


def _records(asked: Any, query: str) -> Iterator[dict[str, object]]:  # noqa: ANN401
    """Give all records, page by page."""
    page = asked.restful("query", params={"q": query})
    yield from page["records"]
    while not page["done"]:
        page = asked.restful(page["nextRecordsUrl"].split("/", 4)[-1])  # what follows /services/data/vNN.N/
        yield from page["records"]


def _text(value: object) -> str:
    """Write a cell as Data Loader does."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _refused(problem: str, mend: str) -> BadInput:
    """Say what is wrong; the token is not repeated."""
    return BadInput([Fault("salesforce", "", "", problem, mend)])
