"""`easynet experience`: what planning has learned from past runs."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from easynet.cli.options import Yes
from easynet.cli.streams import write, write_json

if TYPE_CHECKING:
    from easynet.planners.experience_store import SqliteExperience
    from easynet.planners.past_run import PastRun

app = typer.Typer(rich_markup_mode=None, add_completion=False, invoke_without_command=True)


@app.callback()
def experience(ctx: typer.Context) -> None:
    """Show, forget and export what planning has learned from past runs; alone, it shows it."""
    if ctx.invoked_subcommand is None:
        show()


@app.command()
def show(
    run: Annotated[
        str | None, typer.Argument(metavar="ID", help="One run, or the beginning of its id.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one run a line, as JSON.")] = False,
) -> None:
    """Show the runs that plans are learned from, or all about one of them."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.render_experience import experience_overview, past_run_details
    from easynet.planners.experience_upkeep import header_of, model_path

    with _store() as store:
        runs = [*store.runs()] if run is None else [_one(store, run)]
    if json:
        for found in runs:
            write_json(found.model_dump_json().encode())
    elif run is not None:
        write(past_run_details(runs[0]))
    else:
        header = header_of(model_path(_path()))
        write(experience_overview(runs, learned=len(header["runs"]) if header else 0))


@app.command()
def forget(
    run: Annotated[str | None, typer.Option("--run", metavar="ID", help="One run.")] = None,
    function: Annotated[
        str | None, typer.Option("--function", metavar="NAME", help="All runs that used this function.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All runs.")] = False,
    yes: Yes = False,
) -> None:
    """Forget past runs for good, after asking. What `easynet runs` shows stays."""
    from easynet.cli.render_experience import forgotten, language_of_runs, really
    from easynet.core.errors import UsageError
    from easynet.core.ids import CapabilityName
    from easynet.planners.experience_store import named_by

    if [run is not None, function is not None, everything].count(True) != 1:
        raise UsageError("say what to forget: one of --run ID, --function NAME and --all")
    with _store() as store:
        runs = [*store.runs()]
        language = language_of_runs(runs)
        if run is not None:
            doomed = [_one(store, run)]
        else:
            doomed = [r for r in runs if everything or CapabilityName(function or "") in named_by(r)]
            _check_function(function, runs, doomed)
        if doomed and not (yes or _agreed(really(len(doomed), language))):
            raise typer.Exit(130)
        count = (
            store.forget(run=doomed[0].id)
            if run is not None
            else store.forget(capability=CapabilityName(function) if function is not None else None)
        )
    write(forgotten(count, language))


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Where to; stdout otherwise.")] = None,
    redact: Annotated[
        bool,
        typer.Option(
            "--redact",
            help="Hide the values of inputs, answers and literals, and all numbers and names of files.",
        ),
    ] = False,
) -> None:
    """Write past runs as JSON, one a line, oldest first."""
    from easynet.cli.private_file import write_private
    from easynet.planners.redaction import redacted

    with _store() as store:
        lines = [(redacted(r) if redact else r).model_dump_json().encode() for r in store.runs()]
    if file is None:
        for line in lines:
            write_json(line)
        return
    write_private(file, b"".join(line + b"\n" for line in lines))


def _check_function(function: str | None, runs: "list[PastRun]", doomed: "list[PastRun]") -> None:
    from easynet.core.errors import UsageError, nearest

    if function is not None and not doomed:
        used = sorted({name for r in runs for name in r.graph.capabilities})
        raise UsageError(f"no past run used {function!r}", hint=nearest(function, used))


def _agreed(question: str) -> bool:
    """Ask somebody at the terminal; raises UsageError where nobody is there."""
    from easynet.core.errors import UsageError

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nobody is here to agree", hint="Add --yes to forget without being asked.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是", "好")


def _one(store: "SqliteExperience", prefix: str) -> "PastRun":
    """The run that an id, or its beginning, means; raises RunNotFound."""
    from easynet.execution.journal import one_run

    by_id = {r.id: r for r in store.runs()}
    return by_id[one_run(prefix, [*by_id])]


def _path() -> Path:
    from easynet.settings import Settings

    return Settings().usable_data_dir() / "experience.db"


@contextmanager
def _store() -> "Generator[SqliteExperience]":
    """The past runs alone: looking at them needs no network."""
    from easynet.planners.experience_store import SqliteExperience

    store = SqliteExperience(_path())
    try:
        yield store
    finally:
        store.close()
