"""Long work as its client hands it in and finds it again."""

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from easynet.core.errors import GatewayUnreachable
from easynet.core.ids import JobId
from easynet.core.job import Job
from easynet.fabric.access.memberships import WayIn
from easynet.fabric.jobs.job_handle import JobHandle
from easynet.fabric.jobs.job_questions import Ask, JobQuestions
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.questions import ask
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.decoding import decode_opaque

_SUBMIT_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a job is kept, beyond what its function is called with."""

    key: str = ""
    """Submitted again under the same key, it is the same job; "" makes it one of its own."""
    timeout_s: float | None = None
    """Seconds from its submission after which it is given up, whether it waits or runs."""


@asynccontextmanager
async def open_jobs(gateway: str, data_dir: Path) -> AsyncGenerator["Jobs"]:
    """The jobs of this device, over a connection of their own; tables and files are left as references.

    Raises GatewayUnreachable.
    """
    address = Address.parse(gateway)
    way_in = WayIn(address, "client", data_dir)
    connection = Connection(address, way_in, name=f"jobs.{secrets.token_hex(4)}")

    async def value(data: bytes) -> Any:
        return decode_opaque(data)

    await connection.open(expect=way_in.server_id)
    try:
        yield Jobs(partial(ask, connection), connection.member, value)
    finally:
        await connection.close()


class Jobs:
    """The jobs of one client at one gateway.

    `value` gives the value that was encoded, with its large parts fetched.
    """

    def __init__(
        self,
        ask: Ask,
        client: str,
        value: Callable[[bytes], Awaitable[Any]],
        *,
        retry_s: float = 1.0,
    ) -> None:
        self._questions = JobQuestions(ask, client, value, retry_s)

    async def submit(
        self, function: str, arguments: bytes, *, key: str = "", timeout_s: float | None = None
    ) -> JobHandle:
        """Hand in a call, which from then on survives this client and the gateway's process.

        A key that was used before gives the job that was submitted under it. `timeout_s` counts from now,
        whether the job waits or runs.
        """
        content = [key or secrets.token_hex(16), function, arguments, timeout_s]
        for left in reversed(range(_SUBMIT_TRIES)):
            try:
                id_, is_known = await self._questions.ask("submit", content)
                return JobHandle(self._questions, JobId(str(id_)), is_duplicate=bool(is_known))
            except GatewayUnreachable:
                if not left:
                    raise
                await self._questions.pause()
        raise AssertionError("the last try returns or raises")

    async def all(self) -> list[Job]:
        """The latest jobs, oldest first."""
        return [Job.model_validate(job, extra="ignore") for job in await self._questions.ask("list", [])]

    def find(self, job: str) -> JobHandle:
        """The handle of a job by its id; whether there is one is seen when it is used."""
        return JobHandle(self._questions, JobId(job))
