"""The `easynet` command: a table of commands, and sentences for everything else."""

import difflib
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from easynet._version import __version__
from easynet.cli.streams import discard_output, prepare


@dataclass(frozen=True)
class Entry:
    """A command as `--help` lists it, before its module is imported."""

    module: str
    help: str


COMMANDS = {
    "do": Entry("easynet.cli.do", 'Do what a sentence says. The default: easynet "..." is easynet do "...".'),
    "runs": Entry("easynet.cli.runs", "List, show, cancel, resume and export what sentences have set going."),
    "experience": Entry(
        "easynet.cli.experience", "Show, forget and export what planning learned from past runs."
    ),
    "functions": Entry("easynet.cli.functions", "List the functions that can be called."),
    "call": Entry("easynet.cli.call", "Call one function by its name."),
    "jobs": Entry("easynet.cli.jobs", "List, follow and cancel long work that a gateway keeps."),
    "receipts": Entry("easynet.cli.receipts", "Check and show what nodes signed about their calls."),
    "nodes": Entry("easynet.cli.nodes", "List the nodes of the network."),
    "top": Entry("easynet.cli.top", "Watch the network: nodes, load, calls, durations and errors."),
    "join": Entry("easynet.cli.join", "Join a network with a token that its owner gave you."),
    "node": Entry("easynet.cli.node", "Offer functions of your own to a network."),
    "gateway": Entry("easynet.cli.gateway", "Run a network of your own, and see who is on it."),
    "invite": Entry("easynet.cli.invite", "Let a device join your network: as a node, or as a client."),
    "delegate": Entry("easynet.cli.delegate", "Hand on a part of what you may do on a network."),
    "revoke": Entry("easynet.cli.revoke", "Shut a device out of your network."),
}


class SentenceGroup(TyperGroup):
    """Takes a sentence as an intent, and never takes a mistyped command for one."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = COMMANDS.get(cmd_name)
        return TyperCommand(cmd_name, help=entry.help) if entry else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        first = args[0]
        if first not in COMMANDS and not first.startswith("-"):
            self._refuse_single_word(ctx, first, alone=len(args) == 1 or args[1].startswith("-"))
            args = ["do", *args]
        name, stub, rest = super().resolve_command(ctx, args)
        if name not in COMMANDS:
            return name, stub, rest
        return name, typer.main.get_command(import_module(COMMANDS[name].module).app), rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # such as `| head -1`: whoever read has read enough
            discard_output()
            raise typer.Exit(130) from None

    def _refuse_single_word(self, ctx: Any, word: str, alone: bool) -> None:
        # Chinese writes a whole sentence without a space.
        if len(word.split()) != 1 or not word.isascii():
            return
        if near := difflib.get_close_matches(word, COMMANDS, n=2, cutoff=0.7):
            ctx.fail(f"No such command '{word}'. Did you mean {' or '.join(near)}?")
        if alone:
            ctx.fail(f"'{word}' is neither a command nor a sentence. As an intent: easynet do {word!r}")


app = typer.Typer(
    cls=SentenceGroup,
    add_completion=True,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=(
        "Say what you want, and a network of nodes plans it, does it and reports.\n\n"
        'easynet "train a medical anomaly detector"\n\n'
        'easynet "find growth opportunities in my sales data" --input data=sales.csv'
    ),
    epilog=(
        "Exit codes: 0 succeeded, 1 a bug in EasyNet, 2 usage, 3 nobody can do this, 4 an answer is needed, "
        "5 over budget, 6 the run failed, 7 the gateway is unreachable or refuses, 130 cancelled."
    ),
)


@app.callback()
def root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        print(f"easynet {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


def main() -> None:
    """Run the command line; an error that EasyNet raises becomes a sentence and an exit code."""
    prepare()
    try:
        app()
    except Exception as error:
        # Imported here: `--help` and `--version` never get this far.
        from easynet.cli.exits import explain

        sys.exit(explain(error))
