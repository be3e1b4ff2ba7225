"""`easynet receipts`: what nodes signed about their calls."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from easynet.cli.streams import write
from easynet.core.errors import BadData, ReceiptInvalid, UsageError

if TYPE_CHECKING:
    from easynet.core.receipt import Receipt

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A file with one receipt a line.")]


@app.callback()
def receipts() -> None:
    """Check and show receipts: what nodes signed about their calls."""


@app.command()
def verify(
    file: File,
    input: Annotated[Path | None, typer.Option(help="The encoded arguments, to be the signed ones.")] = None,
    output: Annotated[Path | None, typer.Option(help="The encoded result, to be the signed one.")] = None,
    key: Annotated[str | None, typer.Option(help="The key that the node has to have signed with.")] = None,
) -> None:
    """Say who signed what and when; fail where anything in the file was changed."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.render_receipts import receipt_line, signers
    from easynet.core.receipt import check_content

    found = _read(file)
    if (input or output) and len(found) > 1:
        raise UsageError(
            f"{file} holds {len(found):,} receipts",
            hint="--input and --output need a file of one.",
        )
    _check(found, key)
    if input is not None:
        check_content("input", found[0].facts.call.input, _bytes(input))
    if output is not None:
        check_content("output", found[0].facts.call.output, _bytes(output))
    write("\n".join([*map(receipt_line, found), "", *signers(found)]))


@app.command()
def show(file: File) -> None:
    """Show all that the receipts say, and whether their signatures hold."""
    from easynet.cli.render_receipts import receipt_details

    found = _read(file)
    write("\n\n".join(receipt_details(receipt, _problem(receipt)) for receipt in found))


def _read(file: Path) -> "list[Receipt]":
    from easynet.core.receipt import receipts_in

    return receipts_in(_bytes(file))


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadData(f"cannot read {file}: {error.strerror or error}") from error


def _check(found: "list[Receipt]", key: str | None) -> None:
    from easynet.fabric.receipts.verification import verify_receipt

    for number, receipt in enumerate(found, 1):
        try:
            verify_receipt(receipt, key=key)
        except ReceiptInvalid as error:
            raise ReceiptInvalid(f"line {number}: {error.message}", hint=error.hint) from None


def _problem(receipt: "Receipt") -> str:
    from easynet.fabric.receipts.verification import verify_receipt

    try:
        verify_receipt(receipt)
    except ReceiptInvalid as error:
        return error.message
    return ""
