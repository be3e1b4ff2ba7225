"""`easynet runs`: what was run, how it went, and going on with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from easynet.cli.options import Approve, Budget, Deadline, Gateway, Json, Model, Yes
from easynet.cli.streams import write, write_json

if TYPE_CHECKING:
    from easynet.execution.journal import SqliteJournal

app = typer.Typer(rich_markup_mode=None, add_completion=False, invoke_without_command=True)


@app.callback()
def runs(ctx: typer.Context) -> None:
    """List, show, cancel, resume and export runs; alone, it lists the latest."""
    if ctx.invoked_subcommand is None:
        from easynet.cli.render import runs_table

        write(runs_table(_journal().runs()))


@app.command()
def show(
    run: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or its beginning.")],
    json: Json = False,
) -> None:
    """Tell a run's story: its plan, attempts, failures, cost and result."""
    from easynet.cli.render import run_story
    from easynet.core.events import RUN_EVENT
    from easynet.core.redaction import Redaction

    journal = _journal()
    found = journal.find(run)
    events = journal.events(found)
    if json:
        for event in Redaction().all(events):
            write_json(RUN_EVENT.dump_json(event))
    else:
        write(run_story(events, is_running=journal.is_claimed(found)))


@app.command()
def resume(
    run: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or its beginning.")],
    answers: Annotated[
        list[str] | None,
        typer.Option("--answer", "-a", metavar="NAME=VALUE", help="The answer to an open question."),
    ] = None,
    model: Model = None,
    yes: Yes = False,
    approve: Approve = None,
    budget: Budget = None,
    deadline: Deadline = None,
    json: Json = False,
    gateway: Gateway = None,
) -> None:
    """Go on with an interrupted run; what is finished is not done again.

    A new budget is for the whole run, what is paid already included; a new deadline counts from now.
    """
    from easynet.cli.session import Session, named_values

    given = named_values(answers or [], "--answer")
    session = Session(gateway=gateway or _gateway_of(run), as_json=json, model=model)
    limits = {n: limit for n, limit in (("budget", budget), ("deadline", deadline)) if limit is not None}
    raise typer.Exit(
        session.run(
            lambda network: network.resume(
                run,
                given,
                ask=session.ask,
                auto_approve=yes,
                approve=tuple(approve or ()),
                constraints=limits,
            )
        )
    )


@app.command()
def cancel(
    run: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or its beginning.")],
) -> None:
    """End a run that another process works on, and wait for its end; it can be resumed."""
    from easynet.cli.run_cancel import cancel_run

    journal = _journal()
    write(cancel_run(journal, journal.find(run)))


@app.command()
def export(
    run: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or its beginning.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; stdout otherwise.")
    ] = None,
    redact: Annotated[
        bool,
        typer.Option(
            "--redact",
            help="Hide values, results, messages, names of files and nodes, and numbers in the request.",
        ),
    ] = False,
) -> None:
    """Write a run as JSON lines, to look at elsewhere or to replay: its functions, events and results."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.private_file import write_private
    from easynet.cli.run_export import recorded

    journal = _journal()
    recording = recorded(journal, journal.find(run), redact=redact)
    if output is None:
        for line in recording.lines():
            write_json(line)
    else:
        write_private(output, b"".join(line + b"\n" for line in recording.lines()))


def _gateway_of(run: str) -> str:
    """Where a run was last at work: it is gone on with there, unless told otherwise."""
    from easynet.core.events import RunStarted
    from easynet.fabric.access.gateway_choice import EMBEDDED

    journal = _journal()
    starts = [e for e in journal.events(journal.find(run)) if isinstance(e, RunStarted)]
    return starts[-1].gateway or EMBEDDED


def _journal() -> "SqliteJournal":
    """The journal alone: looking at past runs needs no network."""
    from easynet.execution.journal import SqliteJournal
    from easynet.settings import Settings

    return SqliteJournal(Settings().usable_data_dir() / "journal.db")
