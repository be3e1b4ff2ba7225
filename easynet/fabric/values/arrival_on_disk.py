"""A large value on its way from the other side of a call, for which there is no room in memory."""

import asyncio
from collections.abc import Callable

from easynet.core.artifact import Artifact
from easynet.core.errors import EasyNetError
from easynet.fabric.values.arrival import Arrival
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.drafts import Draft
from easynet.fabric.values.parcels import Kind, Parcel
from easynet.fabric.wire.batches import Batches


class ArrivalOnDisk(Arrival):
    """A value that arrives in the store, in parts that are asked for as the earlier ones are written.

    It ends as one that the other side has put there.
    """

    def __init__(
        self,
        artifact: Artifact,
        ask: Callable[[int, int], None],
        now: float,
        store: ArtifactStore,
        draft: Draft,
    ) -> None:
        """`draft` is closed when the value has arrived, or will not."""
        self._store = store
        self._draft = draft
        self._work = Batches()
        self._to_write = 0
        super().__init__(artifact, ask, now)
        self.end.add_done_callback(self._ended)

    @property
    def _on_the_way(self) -> int:
        return super()._on_the_way + self._to_write

    def _keep(self, parcel: Parcel) -> None:
        part = bytes(parcel.data)
        self._to_write += 1
        written = self._work.do(lambda: self._store.write_part(self._draft, parcel.offset, part))
        written.add_done_callback(lambda done: self._written(done, len(part)))

    def _written(self, done: "asyncio.Future[None]", size_bytes: int) -> None:
        self._to_write -= 1
        error = done.exception()
        if self.end.done():
            return
        if error is not None:
            self._fail_with(error)
            return
        self._there += size_bytes
        if self._there == self.artifact.size_bytes:
            self._work.do(lambda: self._store.adopt(self._draft)).add_done_callback(self._adopted)
        else:
            self._ask_on(self.heard_at)

    def _adopted(self, done: "asyncio.Future[None]") -> None:
        error = done.exception()
        if error is not None:
            self._fail_with(error)
        elif not self.end.done():
            self.end.set_result(Kind.IN_STORE)

    def _fail_with(self, error: BaseException) -> None:
        if isinstance(error, EasyNetError):
            self.fail(error)
        elif not self.end.done():
            self.end.set_exception(error)

    def _ended(self, _: object) -> None:
        # Where it was adopted, there is nothing left to drop.
        self._work.do(self._draft.drop)
