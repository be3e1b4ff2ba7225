"""`easynet "..."`: do what a sentence says, and show how."""

from typing import Annotated

import typer

from easynet.cli.options import Gateway, Json, Model, Yes

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
    budget: Annotated[str | None, typer.Option(help='At most this much, such as "$5".')] = None,
    deadline: Annotated[str | None, typer.Option(help='At most this long, such as "10 minutes".')] = None,
    privacy: Annotated[str | None, typer.Option(help='"high": only your own nodes see the data.')] = None,
    model: Model = None,
    yes: Yes = False,
    json: Json = False,
    gateway: Gateway = None,
) -> None:
    """Do what a sentence says, in English or Chinese."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.session import Session, named_values
    from easynet.core.intent import Intent

    stated = {"budget": budget, "deadline": deadline, "privacy": privacy}
    intent = Intent(
        description=" ".join(words),
        input_data={**named_values(inputs or [], "--input")},
        constraints={name: value for name, value in stated.items() if value is not None},
    )
    session = Session(gateway=gateway, as_json=json, model=model)
    raise typer.Exit(session.run(lambda network: network.stream(intent, ask=session.ask, auto_approve=yes)))
