"""What a gateway keeps of long work, on disk: a queue of orders and a history of events."""

from nats.aio.client import Client as NatsClient

from easynet.fabric.jobs.job_history import JobHistory
from easynet.fabric.jobs.job_queue import JobQueue


class JobStore:
    """Keeps orders until they are done, and events until they are forgotten."""

    def __init__(self, nats: NatsClient, *, ack_wait_s: float, replicas: int) -> None:
        """An order of which nothing is heard for `ack_wait_s` is handed out again."""
        self.queue = JobQueue(nats, ack_wait_s, replicas)
        self.history = JobHistory(nats, replicas)

    async def open(self) -> None:
        """Find or make the queue and the history; raises GatewayError."""
        await self.queue.open()
        await self.history.open()

    async def close(self) -> None:
        """Take no more orders out of the queue."""
        await self.queue.close()
