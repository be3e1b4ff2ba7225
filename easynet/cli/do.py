"""`easynet "..."`: do what a sentence says, and show how."""

from typing import Annotated

import typer

from easynet.cli.options import Approve, Budget, Deadline, Gateway, Json, Model, Yes

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def do(
    words: Annotated[list[str], typer.Argument(metavar="SENTENCE", help="What you want, in words.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", "-i", metavar="NAME=VALUE", help="An input, such as data=sales.csv. Repeatable."
        ),
    ] = None,
    budget: Budget = None,
    deadline: Deadline = None,
    privacy: Annotated[
        str | None, typer.Option(help='"high": only your own nodes, and those you trust, see the data.')
    ] = None,
    private: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An input that is private where not all are. Repeatable."),
    ] = None,
    model: Model = None,
    yes: Yes = False,
    approve: Approve = None,
    approve_above: Annotated[
        str | None, typer.Option(help='Ask before a step that costs more, such as "$1".')
    ] = None,
    json: Json = False,
    gateway: Gateway = None,
) -> None:
    """Do what a sentence says, in English or Chinese."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.session import Session, named_values
    from easynet.core.intent import Intent

    stated = {
        "budget": budget,
        "deadline": deadline,
        "privacy": privacy,
        "private": ", ".join(private or ()) or None,
        "approve_above": approve_above,
    }
    intent = Intent(
        description=" ".join(words),
        input_data={**named_values(inputs or [], "--input")},
        constraints={name: value for name, value in stated.items() if value is not None},
    )
    session = Session(gateway=gateway, as_json=json, model=model)
    raise typer.Exit(
        session.run(
            lambda network: network.stream(
                intent, ask=session.ask, auto_approve=yes, approve=tuple(approve or ())
            )
        )
    )
