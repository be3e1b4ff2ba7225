"""`easynet runs`: what was run, how it went, and going on with it."""

from typing import TYPE_CHECKING, Annotated

import typer

from easynet.cli.options import Gateway, Json, Model, Yes
from easynet.cli.streams import write, write_json

if TYPE_CHECKING:
    from easynet.execution.journal import SqliteJournal

app = typer.Typer(rich_markup_mode=None, add_completion=False, invoke_without_command=True)


@app.callback()
def runs(ctx: typer.Context) -> None:
    """List, show and resume past runs; alone, it lists the latest."""
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

    journal = _journal()
    found = journal.find(run)
    events = journal.events(found)
    if json:
        for event in events:
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
    json: Json = False,
    gateway: Gateway = None,
) -> None:
    """Go on with an interrupted run; what is finished is not done again."""
    from easynet.cli.session import Session, named_values

    given = named_values(answers or [], "--answer")
    session = Session(gateway=gateway or _gateway_of(run), as_json=json, model=model)
    raise typer.Exit(
        session.run(lambda network: network.resume(run, given, ask=session.ask, auto_approve=yes))
    )


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
