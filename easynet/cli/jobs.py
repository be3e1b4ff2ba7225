"""`easynet jobs`: long work that a gateway keeps."""

import asyncio
import json as json_format
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from easynet.cli.options import Gateway
from easynet.cli.streams import write, write_json

if TYPE_CHECKING:
    from easynet.fabric.jobs.job_client import Jobs
    from easynet.fabric.jobs.job_handle import JobHandle

T = TypeVar("T")

app = typer.Typer(rich_markup_mode=None, add_completion=False, invoke_without_command=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="A job's id, or its beginning.")]


@app.callback()
def jobs(ctx: typer.Context, gateway: Gateway = None) -> None:
    """List, follow and cancel long work that a gateway keeps; alone, it lists the latest."""
    if ctx.invoked_subcommand is None:
        list_jobs(gateway=gateway)


@app.command("list")
def list_jobs(
    json: Annotated[bool, typer.Option("--json", help="Print one job a line, as JSON.")] = False,
    gateway: Gateway = None,
) -> None:
    """List this device's jobs, the latest last."""
    from easynet.cli.render_jobs import jobs_table

    async def look(jobs: "Jobs") -> None:
        found = await jobs.all()
        if not json:
            write(jobs_table(found))
        for job in found if json else ():
            write_json(job.model_dump_json().encode())

    _with_jobs(gateway, look)


@app.command()
def follow(
    job: Id,
    json: Annotated[bool, typer.Option("--json", help="Print one update a line, as JSON.")] = False,
    receipt: Annotated[
        Path | None,
        typer.Option("--receipt", metavar="FILE", help="Add the node's signed statement to it."),
    ] = None,
    gateway: Gateway = None,
) -> None:
    """Tell what has happened to a job, and what goes on to happen, to its end; then print its result.

    Ctrl-C ends the telling, not the job.
    """
    from easynet.cli.exits import CANCELLED
    from easynet.cli.render_jobs import plain, update_line
    from easynet.core.errors import JobCancelled

    async def tell(jobs: "Jobs") -> None:
        handle = await _found(jobs, job)
        async with aclosing(handle.follow()) as updates:
            async for update in updates:
                if json:
                    write_json(json_format.dumps(plain(update.model_dump())).encode())
                else:
                    typer.echo(update_line(update), err=True)
        if receipt is not None:
            await _keep_receipt(handle, receipt)
        result = await handle.result()
        if not json:
            write(json_format.dumps(plain(result), indent=2, ensure_ascii=False))

    try:
        _with_jobs(gateway, tell)
    except JobCancelled:
        raise typer.Exit(CANCELLED) from None
    except KeyboardInterrupt:
        typer.echo(f"The job goes on. To come back to it: easynet jobs follow {job}", err=True)
        raise typer.Exit(CANCELLED) from None


@app.command()
def cancel(job: Id, gateway: Gateway = None) -> None:
    """See that a job does not go on, whether it waits or runs."""
    from easynet.core.errors import UsageError

    async def end(jobs: "Jobs") -> None:
        handle = await _found(jobs, job)
        state = await handle.cancel()
        if state != "cancelled":
            raise UsageError(f"the job {handle.id} was over already: it has {state}")
        write(f"{handle.id} cancelled")

    _with_jobs(gateway, end)


async def _keep_receipt(job: "JobHandle", path: Path) -> None:
    from easynet.agents.wording import one_line
    from easynet.cli.function_call import added_to

    with added_to(path) as file:
        assert file is not None
        receipt = await job.receipt()
        file.write(f"{receipt.to_json()}\n")
    said = f"Signed by {one_line(receipt.facts.offer.node)}. To check it: easynet receipts verify {path}"
    typer.echo(said, err=True)


def _with_jobs(gateway: str | None, work: "Callable[[Jobs], Awaitable[T]]") -> T:
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.look import network_meant
    from easynet.core.errors import UsageError
    from easynet.fabric.jobs.job_client import open_jobs
    from easynet.settings import Settings

    address = network_meant(gateway).address
    if not address:
        raise UsageError(
            "only a gateway that lasts keeps jobs, and none is in use here",
            hint="Name one with --gateway, or start one: easynet gateway start.",
        )

    async def run() -> T:
        async with open_jobs(address, Settings().usable_data_dir()) as jobs:
            return await work(jobs)

    return asyncio.run(run())


async def _found(jobs: "Jobs", beginning: str) -> "JobHandle":
    """The one job whose id begins so; raises JobNotFound or UsageError."""
    from easynet.core.errors import JobNotFound, UsageError

    found = [job.id for job in await jobs.all() if job.id.startswith(beginning)]
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} jobs begin with {beginning!r}", hint=f"They are {', '.join(found[:5])}."
        )
    if not found:
        raise JobNotFound(f"no job begins with {beginning!r}", hint="`easynet jobs` lists the latest.")
    return jobs.find(found[0])
