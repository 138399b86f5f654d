"""The command line: `territory-lab` with demo, new, check, run, report, export, lab, app, retrain, score, models."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from datetime import datetime
from enum import StrEnum
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NoReturn

import typer

import territory_lab as lab
from territory_lab.audience import Audience
from territory_lab.errors import Fault, TerritoryLabError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The workspace's folder.")]
Reports = Annotated[Path | None, typer.Option(help="Where the HTML files go; default: DIR/reports.")]
Port = Annotated[int, typer.Option(help="Where on this machine; the next free one where it is taken.")]
Browser = Annotated[bool, typer.Option(help="Open a browser.")]
Capacity = Annotated[
    float | None, typer.Option(help="Share of the rows that reps can work within a horizon; default: as settings say.")
]
Cost = Annotated[float, typer.Option(help="Money spent on working one row.")]


class Action(StrEnum):
    """What can be done with models."""

    LIST = "list"
    COMPARE = "compare"
    PROMOTE = "promote"
    ROLLBACK = "rollback"


class Target(StrEnum):
    """Where a plan can go."""

    SALESFORCE = "salesforce"
    CSV = "csv"
    GEOJSON = "geojson"
    KML = "kml"


@app.callback()
def territory_lab() -> None:
    """Sales-territory planning, from accounts to a decision."""


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the sample company's workspace goes.")] = Path(
        "demo"
    ),
    reports: Annotated[Path, typer.Option(help="Where the HTML files go.")] = Path("reports"),
) -> None:
    """Run every guided notebook on the sample company and write the reports."""
    sample = lab.workspace.open_workspace(lab.shipped.data("sample"))
    if folder.exists():
        if lab.workspace.open_workspace(folder).data_hash != sample.data_hash:
            raise TerritoryLabError(f"{folder} holds other data than the sample; name another folder")
        shutil.rmtree(folder)
    lab.workspace.create(folder, sample.folder)
    _run(folder, reports)


@app.command()
def new(
    folder: Folder,
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="The export: a CSV, an XLSX or a folder.")
    ] = None,
    *,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="salesforce, hubspot, dynamics or csv with PATH; or alone: a folder, postgresql://HOST/NAME, "
            "https://yours.my.salesforce.com, s3://BUCKET/FOLDER.",
        ),
    ] = "",
    sample: Annotated[bool, typer.Option("--sample", help="Start from the sample company.")] = False,
    mapping: Annotated[Path | None, typer.Option(help="Last month's mapping.toml.")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Take columns that only look like a known one.")] = False,
) -> None:
    """Make a workspace of your own, with the guided notebooks copied in."""
    if path is None and source in lab.crm.CRMS and not Path(source).is_dir():
        raise TerritoryLabError(f"name the export: territory-lab new {folder} --from {source} PATH")
    if lab.bucket.holds(source):
        with lab.bucket.near(source) as fetched:
            space = lab.workspace.create(folder, fetched)
    elif path is not None or "://" in source:
        crm = source if path is not None and source else "salesforce" if source.startswith("http") else "csv"
        layout = lab.crm.Layout.of(crm) if mapping is None else lab.crm.Layout.load(mapping)
        space, intake = lab.crm.create(folder, source if path is None else path, layout, accept=accept)
        typer.echo(intake.mapping.to_string(index=False))
        typer.echo(intake.ledger.to_string(index=False))
        for note in intake.notes:
            typer.echo(f"note: {note}")
        typer.echo(str(lab.reporting.arrival(intake, space.folder / "reports" / "data.html")))
    else:
        tables = lab.shipped.data("sample") if sample else Path(source) if source else None
        space = lab.workspace.create(folder, tables)
    typer.echo(f"{space.folder} is ready: {', '.join(sorted(path.name for path in space.folder.iterdir()))}")
    typer.echo(f"next: territory-lab check {folder}")


@app.command()
def check(folder: Folder) -> None:
    """List every fault in the tables, and what each missing table switches off; exit status 1 if there is a fault."""
    space = lab.workspace.open_workspace(folder)
    faults, doubts = space.faults()
    _list("fault", faults)
    _list("to look at", doubts)
    for name, without in space.missing.items():
        typer.echo(f"without {name}: {without}")
    typer.echo(f"{len(faults)} fault(s), {len(doubts)} to look at in {', '.join(space.files) or 'no table'}")
    if faults:
        raise typer.Exit(1)


@app.command()
def run(
    folder: Folder,
    reports: Reports = None,
    dask: Annotated[
        str,
        typer.Option(help="Who works on a large company's parts: a scheduler, tcp://HOST:PORT, or local."),
    ] = "",
) -> None:
    """Go through all six steps and write one HTML per notebook and the summary."""
    _run(folder, reports or folder / "reports", dask)


@app.command()
def report(
    folder: Folder,
    *,
    scenario: Annotated[str, typer.Option(help="The name of a saved one, or proposal.")] = "proposal",
    compare: Annotated[str, typer.Option(help="Another one to hold it against, or today.")] = "",
    audience: Annotated[Audience, typer.Option(help="Who reads it.")] = Audience.FULL,
    who: Annotated[str, typer.Option("--for", help="Which manager (id, name) or rep (id, name, territory).")] = "",
    language: Annotated[str, typer.Option(help="A locale: en_US, en_GB, ru ...")] = "en_US",
    reports: Reports = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also as PDF, through Chromium.")] = False,
    xlsx: Annotated[bool, typer.Option("--xlsx", help="Also its tables as a workbook.")] = False,
    pptx: Annotated[bool, typer.Option("--pptx", help="Also six slides.")] = False,
) -> None:
    """Write the report that decides: one HTML file, and other forms where asked for."""
    kinds = frozenset(name for name, wanted in {"pdf": pdf, "xlsx": xlsx, "pptx": pptx}.items() if wanted)
    written = lab.reporting.make(
        lab.workspace.open_workspace(folder),
        reports or folder / "reports",
        scenario=scenario,
        compare=compare,
        audience=audience,
        who=who,
        language=language,
        kinds=kinds,
    )
    for path in written:
        typer.echo(str(path))


@app.command()
def export(
    folder: Folder,
    to: Annotated[Target, typer.Option(help="For whom.")] = Target.CSV,
    ids: Annotated[Path | None, typer.Option(help="A later Salesforce export, for the ids of what was loaded.")] = None,
    effective: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From when it holds; effective.csv states others.")
    ] = None,
) -> None:
    """Write the proposed alignment for a CRM or a map; nothing is sent anywhere."""
    space = lab.workspace.open_workspace(folder)
    alignment = lab.journey.territories(space)["alignment"]["territory_id"]
    written, summary = lab.handover.write(space, alignment, to.value, ids, effective and effective.date())
    typer.echo(str(written))
    for line in summary:
        typer.echo(f"  {line}")


@app.command()
def travel(folder: Folder) -> None:
    """Write the points to ask a router for travel times between; put its answer into DIR/travel.json or travel.csv."""
    typer.echo(str(lab.handover.points(lab.workspace.open_workspace(folder))))


@app.command("lab")
def open_lab(folder: Folder, *, port: Port = 8888, browser: Browser = True) -> None:
    """Open JupyterLab on the workspace's notebooks, on this machine only."""
    notebooks = lab.workspace.open_workspace(folder).folder / "notebooks"
    place = (f"--ServerApp.root_dir={notebooks}", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}")
    _serve("jupyterlab", *place, "--LabApp.default_url=/lab/tree/0_start.ipynb", browser=browser)


@app.command("app")
def open_app(folder: Folder, *, port: Port = 8866, browser: Browser = True) -> None:
    """Show the notebooks as an app without code, on this machine only (extra: voila)."""
    if find_spec("voila") is None:
        raise TerritoryLabError("the app needs Voilà: pip install 'territory-lab[voila]'")
    notebooks = lab.workspace.open_workspace(folder).folder / "notebooks"
    idle = "--MappingKernelManager.cull_idle_timeout=1800"
    place = (str(notebooks), "--Voila.ip=127.0.0.1", f"--Voila.port={port}")
    _serve("voila", *place, "--template=offline", idle, browser=browser)


@app.command()
def retrain(folder: Folder, capacity: Capacity = None, cost: Cost = 0.0) -> None:
    """Learn the models again and let them serve where they earn more on later data; no network is used."""
    space = lab.workspace.open_workspace(folder)
    for outcome in lab.lifecycle.retrain(space, capacity_share=capacity, cost=cost):
        typer.echo(f"{outcome.kind} {outcome.version}: {outcome.why}")
        typer.echo(f"  serving: {outcome.champion}")


@app.command()
def score(
    folder: Folder, to: Annotated[Path | None, typer.Option(help="The CSV; default: DIR/results/scores.csv.")] = None
) -> None:
    """Score today's customers with the models that serve, and say what has drifted since they were learnt."""
    space = lab.workspace.open_workspace(folder)
    scores = lab.serving.score(space, to)
    typer.echo(f"{scores.file}: {scores.rows} scores as of {scores.as_of}, valid until {scores.valid_until}")
    found = lab.serving.drifted(space)
    for row in found[~found["finding"].isin(["steady", "moved"])].to_dict("records"):
        place = " ".join(filter(None, [row["kind"], row["column"], row["measure"]]))
        typer.echo(f"{row['finding']} at {row['period']:%Y-%m-%d}: {place} {row['value']:.2f}")


@app.command()
def models(
    folder: Folder,
    action: Annotated[Action, typer.Argument(help="What to do.")] = Action.LIST,
    kind: Annotated[str, typer.Argument(help="upsell or cross_sell.")] = "",
    version: Annotated[str, typer.Argument(help="As listed.")] = "",
    *,
    capacity: Capacity = None,
    cost: Cost = 0.0,
) -> None:
    """List models, compare one with the champion, promote it, or roll the champion back."""
    space = lab.workspace.open_workspace(folder)
    if action is Action.LIST:
        table = lab.lifecycle.listed(space)
        typer.echo(table.to_string(index=False) if len(table) else "no models yet")
        return
    if action is Action.COMPARE:
        typer.echo(lab.lifecycle.compared(space, kind, version, capacity_share=capacity, cost=cost))
    elif action is Action.PROMOTE:
        lab.lifecycle.promote(space, kind, version)
        typer.echo(f"{kind}: {version} serves now")
    else:
        typer.echo(f"{kind}: {lab.lifecycle.roll_back(space, kind)} serves again")


def main() -> None:
    """Say what went wrong in words, not in a traceback."""
    try:
        app()
    except TerritoryLabError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from error
    except OSError as error:  # disk full, read-only, in use
        told = f"{error.filename or 'a file'}: {error.strerror or error}"
        typer.echo(f"{told}; nothing is half written: see to it, and the same command goes on from here", err=True)
        raise SystemExit(1) from error


def _serve(module: str, *options: str, browser: bool) -> NoReturn:
    """Start a Jupyter program that asks the network for nothing: no news, no icon fonts."""
    with tempfile.TemporaryDirectory() as config:
        page = Path(config) / "labconfig" / "page_config.json"
        page.parent.mkdir()
        page.write_text(json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}))
        paths = {"JUPYTER_CONFIG_PATH": config, "JUPYTER_PATH": str(files("territory_lab") / "app")}
        ours = {name: os.pathsep.join(filter(None, (path, os.environ.get(name)))) for name, path in paths.items()}
        command = [sys.executable, "-m", module, *options, *([] if browser else ["--no-browser"])]
        with subprocess.Popen(command, env=os.environ | ours) as server:  # noqa: S603 - our own interpreter
            signal.signal(signal.SIGTERM, lambda *_: server.terminate())  # who stops us stops it
            code = server.wait()
    raise typer.Exit(code)


def _run(folder: Path, reports: Path, dask: str = "") -> None:
    """Execute, export, sum up."""
    space = lab.workspace.open_workspace(folder)
    with space.alone():
        if dask and space.deal is None:
            typer.echo("the company fits into memory: --dask is left aside")
        if space.deal is not None:  # before the notebooks: they read what it leaves
            with lab.cluster.workers(dask) if dask else nullcontext(map) as each:
                lab.journey.scored(lab.workspace.open_workspace(folder), each=each)  # its tables are let go with it
        written, headlines, off = lab.reporting.write_all(space, reports)
    for path in written:
        typer.echo(str(path))
    for headline in headlines:
        typer.echo(f"  {headline}")
    for reason in off:
        typer.echo(reason)


def _list(kind: str, faults: list[Fault]) -> None:
    """One line each."""
    for fault in faults:
        typer.echo(f"{kind}: {fault}")
