"""What others wrote reaches no interpreter and not all of the machine: no code in data, bombs bounded, pins kept."""

import ast
import io
import re
import time
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from territory_lab import crm, quality
from territory_lab.crm import _sheets
from territory_lab.errors import BadInput
from territory_lab.propensity.playbook import Playbook

ROOT = Path(__file__).resolve().parents[1]
RUNS_WHAT_IT_IS_GIVEN = {"eval", "exec", "compile", "__import__", "from_string", "system", "popen", "mktemp"}
LOADS_CODE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"}


@pytest.mark.parametrize("path", sorted((ROOT / "territory_lab").rglob("*.py")), ids=lambda path: path.stem)
def test_no_module_unpickles_evaluates_or_asks_a_shell(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    imported |= {
        node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {getattr(call.func, "id", getattr(call.func, "attr", "")) for call in calls}
    of_re = {call.func for call in calls if getattr(getattr(call.func, "value", None), "id", "") == "re"}
    plain = {getattr(call.func, "id", getattr(call.func, "attr", "")) for call in calls if call.func not in of_re}
    assert not imported & LOADS_CODE
    assert not plain & RUNS_WHAT_IT_IS_GIVEN, names
    assert not any(word.arg == "shell" for call in calls for word in call.keywords)
    assert not any(word.arg == "allow_pickle" for call in calls for word in call.keywords)


def workbook(cells: str, *, head: str = "", dimension: str = "A1:B2") -> bytes:
    """Pack a workbook by hand, as no spreadsheet would."""
    main, rel = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org"
    office = f"{rel}/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{rel}/package/2006/content-types"><Default Extension="xml" ContentType='
        '"application/xml"/><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName='
        '"/xl/worksheets/sheet1.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{rel}/package/2006/relationships"><Relationship Id="r1" Type='
        f'"{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="accounts" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{rel}/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'{head}<worksheet xmlns="{main}"><dimension ref="{dimension}"/><sheetData>{cells}'
        "</sheetData></worksheet>",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(name, text)
    return packed.getvalue()


def row(number: int, *cells: tuple[str, str]) -> str:
    inside = "".join(f'<c r="{at}{number}" t="inlineStr"><is><t>{text}</t></is></c>' for at, text in cells)
    return f'<row r="{number}">{inside}</row>'


def test_a_workbook_is_as_large_as_its_cells_and_not_as_it_says(tmp_path: Path) -> None:
    rows = row(1, ("A", "account_id"), ("B", "name"), ("C", "city")) + row(2, ("A", "1"), ("B", "Acme"))
    rows += row(1_048_576, ("A", "2"), ("B", "Bolt"))
    (tmp_path / "a.xlsx").write_bytes(workbook(rows, dimension="A1:XFD1048576"))
    start = time.process_time()
    intake = crm.read(tmp_path / "a.xlsx", crm.Layout.of("csv"))
    assert intake.tables["accounts"]["name"].tolist() == ["Acme", "Bolt"]
    assert time.process_time() - start < 30


def test_a_workbook_of_far_cells_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sheets, "_UNPACKED", 2**20)
    rows = row(1, ("A", "account_id"), ("B", "name")) + "".join(row(n, ("XFD", "x")) for n in range(2, 9))
    (tmp_path / "a.xlsx").write_bytes(workbook(rows))
    with pytest.raises(BadInput, match="unpacks to"):
        crm.read(tmp_path / "a.xlsx", crm.Layout.of("csv"))


def test_a_workbook_that_declares_entities_is_refused(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(9))
    rows = row(1, ("A", "account_id"), ("B", "name")) + row(2, ("A", "1"), ("B", "&l8;"))
    (tmp_path / "a.xlsx").write_bytes(workbook(rows, head=f"<!DOCTYPE x [{laughs}]>"))
    with pytest.raises(BadInput, match="cannot be read"):
        crm.read(tmp_path / "a.xlsx", crm.Layout.of("csv"))


def test_a_cell_too_large_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"account_id,name\n1,{'x' * 200_000}\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"a.csv \[line 2\]: field larger"):
        crm.read(tmp_path / "a.csv", crm.Layout.of("csv"))


@pytest.mark.parametrize("angle", ["{product:999999999}", "{product.__class__}", "{0}", "{product!r:>{product}}"])
def test_a_playbook_fills_in_nothing_but_a_plain_word(tmp_path: Path, angle: str) -> None:
    told = f'[[play]]\nname = "a"\nwho = "b"\nchannel = "c"\nangle = "{angle}"\ntiming = "d"\n'
    (tmp_path / "playbook.toml").write_text(told, encoding="utf-8")
    with pytest.raises(BadInput, match=r"play\.angle"):
        Playbook.read(tmp_path / "playbook.toml")


HARD = {
    "one place": lambda: (
        "account_id,name,city\n" + "".join(f"{n},Firm {n * 7919 % 9973},Rome\n" for n in range(45_000))
    ),
    "separators": lambda: "account_id,name" + "," * 300_000 + "\n" + ";,|\t" * 170_000,
    "quotes": lambda: "account_id,name\n" + '1,"' + '""' * 60_000 + '"\n' + '2,"a"\n' * 60_000,
    "digits": lambda: (
        "account_id,name,revenue\n1,a," + "1,1." * 30_000 + "\n2,b," + " 1" * 60_000 + "\n3,c,1e" + "9" * 99_999
    ),
    "loop": lambda: "account_id,name,parent_id\n" + "".join(f"{n},F,{(n + 1) % 40_000}\n" for n in range(40_000)),
}


@pytest.mark.parametrize("kind", HARD)
@pytest.mark.filterwarnings("ignore")
def test_no_megabyte_takes_long(tmp_path: Path, kind: str) -> None:
    text = HARD[kind]()
    (tmp_path / "accounts.csv").write_text(text, encoding="utf-8")
    start = time.process_time()
    try:
        accounts = crm.read(tmp_path, crm.Layout.of("csv")).tables["accounts"]
        quality.twins(accounts.replace("", None))
    except BadInput:
        pass
    assert time.process_time() - start < 5 * max(1.0, len(text) / 1e6) * 3  # a machine three times as slow may pass


def test_what_is_installed_is_what_is_pinned() -> None:
    pins = re.findall(
        r"^([a-z0-9_.-]+)==(\S+?)(?: ;([^\\]*))? \\$", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE
    )
    assert len(pins) > 100
    wanted = {
        name: pin for name, pin, marker in pins if not marker or Requirement(f"{name} ;{marker}").marker.evaluate()
    }
    assert {name: version(name) for name in wanted} == wanted
