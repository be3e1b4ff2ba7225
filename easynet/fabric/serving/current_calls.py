"""The calls that run or wait at a node."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from easynet.fabric.serving.callers import Caller
from easynet.fabric.serving.running_call import RunningCall


class CurrentCalls:
    """Finds calls by their ids, and by the keys under which a second call means the same work.

    A call that others follow has their ids as well.
    """

    def __init__(self, on_first: Callable[[], None]) -> None:
        """`on_first` is called whenever a call comes while there is none."""
        self._on_first = on_first
        self.by_id: dict[str, RunningCall] = {}
        """To be read only."""
        self._call_by_key: dict[tuple[str, str, str], RunningCall] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def __iter__(self) -> Iterator[RunningCall]:
        return iter({*self.by_id.values()})

    async def idle(self) -> None:
        """Return once there is none."""
        await self._idle.wait()

    def find(self, client: str, id_: str) -> RunningCall | None:
        """The call of that id, where it is this client's."""
        call = self.by_id.get(id_)
        return call if call is not None and call.client == client else None

    def under(self, client: str, function: str, key: str) -> RunningCall | None:
        """The call that a client made under a key, or under an id that is used as such."""
        return self._call_by_key.get((client, function, key)) or self.find(client, key)

    def has_key_of(self, call: RunningCall) -> bool:
        """Whether a call for the same work is here."""
        return _key(call) in self._call_by_key

    def keep(self, call: RunningCall) -> None:
        """A call has come."""
        if not self.by_id:
            self._idle.clear()
            self._on_first()
        request = call.call
        self.by_id[request.id] = call
        if request.key:
            self._call_by_key[_key(call)] = call
        call.audience.caller.calls.add(request.id)

    def forget(self, call: RunningCall) -> None:
        """A call has gone."""
        request = call.call
        self.by_id.pop(request.id, None)
        if request.key:
            for _, id_ in call.audience.following:
                self.by_id.pop(id_, None)
            if self._call_by_key.get(_key(call)) is call:
                del self._call_by_key[_key(call)]
        call.audience.caller.calls.discard(request.id)
        if not self.by_id:
            self._idle.set()

    def hand_over(self, call: RunningCall, caller: Caller, id_: str) -> None:
        """See that a call goes on for as long as that caller is there."""
        call.audience.caller.calls.discard(call.call.id)
        call.hand_to(caller, id_)
        caller.calls.add(id_)
        self.by_id[id_] = self._call_by_key[_key(call)] = call

    def give_up(self, call: RunningCall, id_: str) -> None:
        """A client does not want the answer to that call any more; whoever waits for the same work may."""
        if id_ == call.call.id:
            call.cancel()
        else:
            call.audience.unfollow(id_)
            del self.by_id[id_]

    def of(self, ids: Iterable[str]) -> list[RunningCall]:
        """Those of these ids that are here."""
        return [call for id_ in ids if (call := self.by_id.get(id_)) is not None]


def _key(call: RunningCall) -> tuple[str, str, str]:
    return call.client, call.service.name, call.key
