"""The commands. What is heavy is imported by the command that needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from glasshouse.cli import reading, writing
from glasshouse.cli.streams import note, out

app = typer.Typer(name="glasshouse", add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]},
                  help="Published algorithms that show their state. Without a command: the gallery in the browser.")

Id = Annotated[str, typer.Argument(metavar="ID", help="A method, such as conformal.lac.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on stdout and nothing else.")]
Problem = Annotated[str | None, typer.Option("--problem", metavar="NAME[:key=value,...]", help="What it runs on.")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="knob=value", help="A knob or a look; may be repeated.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Save to FILE: .json, .csv or .parquet.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, metavar="P", help="0 takes a free one.")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")]
Workshop = Annotated[bool, typer.Option("--workshop", help="Listen beyond this machine: no paths, no uploads, capped jobs.")]
AllowModels = Annotated[str, typer.Option("--allow-models", metavar="ID,...", help="Models that a workshop may load.")]

AllowOrigin = Annotated[str, typer.Option("--allow-origin", metavar="HOST,...", help="Hosts under which a proxy or tunnel shows the pages.")]
Prefix = Annotated[str, typer.Option("--prefix", metavar="PATH", help="The path before theirs that a proxy leaves in place.")]


@app.callback(invoke_without_command=True)
def bare(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        serve()


@app.command()
def serve(port: Port = 5006, no_browser: NoBrowser = False, workshop: Workshop = False, allow_models: AllowModels = "",
          allow_origin: AllowOrigin = "", prefix: Prefix = "") -> None:
    """The gallery in the browser."""
    from glasshouse.cli.gallery import gallery

    gallery()(port=port, browser=not no_browser, workshop=workshop, allow_models=reading.names(allow_models),
              allow_origin=reading.names(allow_origin), prefix=prefix)


@app.command()
def handout(folder: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="New, empty, or an older handout.")]) -> None:
    """The gallery and every lab as pages that need no server: for a course page, or a disk."""
    from glasshouse.cli import gallery

    write = gallery.handout()
    with writing.progress("handout") as told:
        written = write(folder, told)
    note(f"saved to {written}: open index.html there")


@app.command(name="list")
def list_(family: Annotated[str | None, typer.Option("--family", metavar="F")] = None, as_json: AsJson = False) -> None:
    """All methods: id, title, year, arXiv or DOI, family, guarantee."""
    from glasshouse import catalogue

    found = catalogue.methods(family)
    if as_json:
        writing.json_out([writing.listed(info) for info in found])
    else:
        writing.table_out({"id": [i.id for i in found], "year": [i.year for i in found],
                           "paper": [f"arXiv:{i.arxiv}" if i.arxiv else i.doi for i in found],
                           "guarantee": [str(i.guarantee) for i in found], "title": [i.title for i in found]})


@app.command()
def show(id: Id, as_json: AsJson = False) -> None:
    """One method: its knobs and looks with bounds, defaults and cost; paper; guarantee; views."""
    from glasshouse.cli.showing import shown, told

    if as_json:
        writing.json_out(shown(id))
    else:
        out(told(shown(id)))


@app.command()
def run(id: Id, settings: Settings = None, problem: Problem = None, seed: Annotated[int, typer.Option("--seed", metavar="S")] = 0,
        out: Out = None, as_json: AsJson = False) -> None:
    """Run a method to its end."""
    from glasshouse import runs
    from glasshouse.runs.record import destination

    values = reading.settings("set", settings or ())
    target = destination(out) if out else None
    session = runs.open(id, problem, seed, **values)
    with writing.progress(session.info.id) as told:
        for item in session.events():
            told(item)
    record = session.record()
    _finish(record, target, as_json)
    if not as_json:
        writing.record_out(record)


@app.command()
def sweep(id: Id, grid: Annotated[list[str], typer.Option("--grid", metavar="knob=a,b,c", help="May be repeated.")],
          settings: Settings = None, problem: Problem = None, seed: Annotated[int, typer.Option("--seed", metavar="S")] = 0,
          executor: Annotated[str | None, typer.Option("--executor", metavar="local|dask://HOST:PORT", help=(
              "local: a process per core. Without it: one after another, here."))] = None,
          out: Out = None, as_json: AsJson = False) -> None:
    """Run a method on every combination of a grid."""
    from glasshouse.runs import executors
    from glasshouse.runs.record import destination
    from glasshouse.runs.sweep import plan
    from glasshouse.schema.record import as_table

    target = destination(out) if out else None
    planned = plan(id, reading.grid(grid), problem, seed, reading.settings("set", settings or ()))
    records = []
    with executors.executor(executor) as pool, writing.progress(id, len(planned.cells)) as told:
        for record in planned.records(pool):
            records.append(record)
            told(len(records))
    _finish(records, target, as_json)
    if not as_json:
        table = as_table(records)
        writing.table_out({name: table[name] for name in dict.fromkeys((*planned.names, *records[0].summary))})


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Versions, device, kernels in use, checksums of the data."""
    from glasshouse.cli.doctor import examined, told

    found = examined()
    if as_json:
        writing.json_out(found)
    else:
        out(told(found))
    if found["data"]["wrong"]:
        raise typer.Exit(1)


def _finish(records: Any, target: Path | None, as_json: bool) -> None:
    from glasshouse.runs import save

    if target is not None:
        save(records, target)
        note(f"saved to {target}")
    if as_json:
        writing.json_out([r.to_dict() for r in records] if isinstance(records, list) else records.to_dict())
