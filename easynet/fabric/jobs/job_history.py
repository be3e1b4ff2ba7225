"""What happened to jobs, event by event, on a gateway's disk."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Final

from nats.aio.client import Client as NatsClient
from nats.js import api
from nats.js.errors import NotFoundError

from easynet.core.ids import JobId
from easynet.fabric.jobs.job_events import JobEvent, Signed
from easynet.fabric.jobs.job_frames import decode_event, encode_event
from easynet.fabric.jobs.job_streams import DUPLICATES_S, TROUBLE, lay, translated
from easynet.fabric.wire.updates import Item, Progress

HISTORY: Final = "JOB_EVENTS"
KEEP_S: Final = 7 * 24 * 3600.0
"""How long after a job's end can be read what happened to it."""
_MAX_AGE_S: Final = 60 * 24 * 3600.0
"""A job that takes longer than this, less than `KEEP_S`, loses its beginning."""
MAX_HISTORY_BYTES: Final = 1024**3
MAX_PER_SUBJECT: Final = 1000
"""Of one job's progress, the latest are kept."""
_STATES: Final = "jobevents.*.state"


class JobHistory:
    """Keeps events until they are forgotten."""

    def __init__(self, nats: NatsClient, replicas: int) -> None:
        self._js = nats.jetstream()
        self._replicas = replicas

    async def open(self) -> None:
        """Find or make it; raises GatewayError."""
        config = api.StreamConfig(
            name=HISTORY,
            subjects=["jobevents.*.*"],
            storage=api.StorageType.FILE,
            max_age=_MAX_AGE_S,
            max_bytes=MAX_HISTORY_BYTES,
            max_msgs_per_subject=MAX_PER_SUBJECT,
            duplicate_window=DUPLICATES_S,
            allow_direct=True,
            num_replicas=self._replicas,
        )
        with translated():
            await lay(self._js, config)

    async def write(self, job: JobId, event: JobEvent, at: float, *, token: str, nth: int = 0) -> int:
        """Keep an event on disk, and give its number; raises GatewayError, and may then be tried again.

        `token` tells a second try from a second event. `nth` counts the items of a job, of which none is
        dropped for later ones.
        """
        match event:
            case Progress():
                kind = "progress"
            case Item():
                kind = f"items-{nth // MAX_PER_SUBJECT}"
            case Signed():
                kind = "receipt"
            case _:
                kind = "state"
        headers = {api.Header.MSG_ID.value: token}
        with translated():
            ack = await self._js.publish(f"jobevents.{job}.{kind}", encode_event(event, at), headers=headers)
        return ack.seq

    async def read(self, job: JobId, after: int) -> tuple[int, bytes] | None:
        """The first event of a job after a number, if there is one; raises GatewayError."""
        with translated():
            try:
                found = await self._js.get_msg(
                    HISTORY, seq=after + 1, subject=f"jobevents.{job}.*", direct=True, next=True
                )
            except NotFoundError:
                return None
        return found.seq or 0, found.data or b""

    async def forget(self, job: JobId) -> None:
        """Keep nothing any more of what happened to a job; raises GatewayError."""
        with translated():
            await self._js.purge_stream(HISTORY, subject=f"jobevents.{job}.*")

    async def told(self, job: JobId) -> int:
        """How many words of progress are known of the call that the last change of state is about.

        0 where none has been kept since; raises GatewayError.
        """
        with translated():
            try:
                progress = await self._js.get_last_msg(HISTORY, f"jobevents.{job}.progress")
                state = await self._js.get_last_msg(HISTORY, f"jobevents.{job}.state")
            except NotFoundError:
                return 0
        if (progress.seq or 0) < (state.seq or 0):
            return 0
        _, event = decode_event(progress.data or b"")
        return event.number if isinstance(event, Progress) else 0

    async def receipt(self, job: JobId) -> str:
        """What a node signed about a job's last call, "" where that is not known; raises GatewayError."""
        with translated():
            try:
                found = await self._js.get_last_msg(HISTORY, f"jobevents.{job}.receipt")
            except NotFoundError:
                return ""
        _, event = decode_event(found.data or b"")
        return event.receipt if isinstance(event, Signed) else ""

    async def next_state(self, after: int) -> tuple[int, JobId, bytes] | None:
        """The first change of state of any job after a number, if there is one; raises GatewayError."""
        with translated():
            try:
                # Not from whichever server has a copy: that may be old.
                found = await self._js.get_msg(HISTORY, seq=after + 1, subject=_STATES, next=True)
            except NotFoundError:
                return None
        return found.seq or 0, JobId((found.subject or "..").split(".")[1]), found.data or b""

    async def states(self) -> AsyncGenerator[tuple[int, JobId, bytes]]:
        """The changes of state of every job with their numbers, oldest first; raises GatewayError."""
        config = api.ConsumerConfig(ack_policy=api.AckPolicy.NONE, inactive_threshold=60.0, mem_storage=True)
        with translated():
            pull = await self._js.pull_subscribe(_STATES, stream=HISTORY, config=config)
            info = await pull.consumer_info()
        left = info.num_pending or 0
        try:
            while left:
                with translated():
                    messages = await pull.fetch(min(left, 500), timeout=5)
                for message in messages:
                    left = message.metadata.num_pending or 0
                    yield message.metadata.sequence.stream, JobId(message.subject.split(".")[1]), message.data
        finally:
            with contextlib.suppress(*TROUBLE):
                await pull.unsubscribe()
                await self._js.delete_consumer(HISTORY, info.name)
