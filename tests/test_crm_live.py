"""Salesforce asked over HTTP: a server on loopback that answers describe and query as Salesforce's REST API does."""

import json
import re
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from territory_lab import crm
from territory_lab.errors import BadInput
from tests import crm_exports

TOKEN = "00D-s3cret"  # noqa: S105 - of a server that lives for a test
PAGE = 50


class Org(BaseHTTPRequestHandler):
    """Describe, query and queryMore, for whoever brings the token."""

    exports: crm_exports.Exports = {}  # noqa: RUF012 - set by the fixture

    def do_GET(self) -> None:
        where, query = urlsplit(self.path), parse_qs(urlsplit(self.path).query)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.answer([{"errorCode": "INVALID_SESSION_ID", "message": f"bad {self.headers['Authorization']}"}], 401)
        elif where.path.endswith("/sobjects"):
            self.answer({"sobjects": [{"name": name} for name in self.exports]})
        elif thing := re.search(r"/sobjects/(\w+)/describe", where.path):
            self.answer({"fields": [{"name": name} for name in [*self.exports[thing[1]], "Secret__c"]]})
        elif "q" in query:
            fields, thing = re.fullmatch(r"SELECT (.+) FROM (\w+)", query["q"][0]).groups()
            assert "Secret__c" not in fields
            self.page(thing, fields.split(", "), 0)
        else:
            thing, start, *fields = where.path.rsplit("/", 1)[1].split("-")
            self.page(thing, fields, int(start))

    def page(self, thing: str, fields: list[str], start: int) -> None:
        table = self.exports[thing][fields].astype(object)
        table = table.where(table != "", None)
        rows = [{"attributes": {"type": thing}, **row} for row in table.iloc[start : start + PAGE].to_dict("records")]
        more = "-".join([thing, str(start + PAGE), *fields])
        done = start + PAGE >= len(table)
        told = {"totalSize": len(table), "done": done, "records": rows}
        self.answer(told if done else told | {"nextRecordsUrl": f"/services/data/v59.0/query/{more}"})

    def answer(self, told: object, status: int = 200) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TERRITORY_LAB_SALESFORCE_TOKEN", TOKEN)
    Org.exports = crm_exports.salesforce(crm_exports.company())
    server = ThreadingHTTPServer(("127.0.0.1", 0), Org)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_organisation_asked_gives_what_its_export_gives(address: str, tmp_path) -> None:
    layout = crm.Layout.of("salesforce")
    asked = crm.read(address, layout)
    exported = crm.read(crm_exports.write(Org.exports, tmp_path / "export"), layout)
    assert asked.tables.keys() == exported.tables.keys()
    for name, table in exported.tables.items():
        pd.testing.assert_frame_equal(
            asked.tables[name].reset_index(drop=True), table.reset_index(drop=True), check_like=True
        )
    for name, table in exported.links.items():
        pd.testing.assert_frame_equal(
            asked.links[name].reset_index(drop=True), table.reset_index(drop=True), check_like=True
        )
    assert (asked.ledger["rows"] == asked.ledger["used"] + asked.ledger["set_aside"]).all()
    assert asked.ledger.set_index("file").loc["Opportunity", "rows"] == len(Org.exports["Opportunity"])


def test_no_error_of_an_organisation_shows_the_token(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "wr0ng-s3cret"
    monkeypatch.setenv("TERRITORY_LAB_SALESFORCE_TOKEN", wrong)
    elsewhere = "http://127.0.0.1:9"
    for where in (address, elsewhere, f"https://u:{wrong}@example.com", f"http://example.com?sid={wrong}"):
        with pytest.raises(BadInput, match="salesforce") as error:
            crm.read(where, crm.Layout.of("salesforce"))
        assert wrong not in "".join(traceback.format_exception(error.value))


def test_a_token_never_travels_unsealed() -> None:
    with pytest.raises(BadInput, match="not sealed"):
        crm.read("http://example.com", crm.Layout.of("salesforce"))
