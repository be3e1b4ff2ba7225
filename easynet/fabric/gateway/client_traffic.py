"""What each client sends to a server, over all its connections, as the server counts it."""

import json
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from easynet.core.errors import GatewayError
from easynet.fabric.gateway.allowances import weight
from easynet.fabric.transport.connection import Connection, Message

_PAGE: Final = 1024
"""Connections in one answer of the server."""
_SLACK: Final = timedelta(seconds=1)
"""The server notes the time of a message a little late."""
_WORTH_ASKING: Final = 20
"""Messages over a connection for which the server is asked whose it is, if it has not said so by itself."""


class _Count(NamedTuple):
    messages: int = 0
    size_bytes: int = 0


class ClientTraffic:
    """Adds up what came over the connections of each client, over those that have ended as well."""

    def __init__(self, system: Connection, account: str) -> None:
        self._system = system
        self._account = account
        self._server_id = ""
        self._key_by_connection: dict[int, str] = {}
        self._seen: dict[int, _Count] = {}
        self._sent_by_key: dict[str, float] = {}
        self._ended: set[int] = set()
        self._last_look: datetime | None = None

    async def start(self) -> None:
        """Hear from now on of connections that come and go."""
        events = f"$SYS.ACCOUNT.{self._account}"
        await self._system.subscribe(f"{events}.CONNECT", self._came)
        await self._system.subscribe(f"{events}.DISCONNECT", self._went)

    async def sent(self) -> dict[str, float]:
        """By key, the messages of each client since this was asked last; raises GatewayError."""
        self._know_server()
        ended_before = set(self._ended)
        unknown = await self._look_at_active()
        for cid, now in unknown.items():
            [found] = await self._connections({"cid": cid, "auth": True}) or [{}]
            self._key_by_connection[cid] = str(found.get("authorized_user", ""))
            self._note(cid, now)
        self._ended -= ended_before  # no later answer of the server tells of them as if they were open
        sent, self._sent_by_key = self._sent_by_key, {}
        return sent

    async def end(self, key: str) -> None:
        """End all connections of a client; raises GatewayError."""
        subject = f"$SYS.REQ.SERVER.{self._system.server_id}.KICK"
        for cid in [cid for cid, whose in self._key_by_connection.items() if whose == key]:
            await self._system.publish(subject, json.dumps({"cid": cid}).encode())

    async def _look_at_active(self) -> dict[int, _Count]:
        """Count what came over open connections; those of which it is not known whose they are."""
        unknown: dict[int, _Count] = {}
        since, began, offset = self._last_look, None, 0
        while True:
            answer = await self._asked({"sort": "last", "limit": _PAGE, "offset": offset})
            began = began or _moment(answer.get("now"))
            page = _connections_in(answer)
            for each in page:
                cid, now = int(each["cid"]), _Count(int(each["in_msgs"]), int(each["in_bytes"]))
                if cid in self._ended:
                    continue
                if cid in self._key_by_connection:
                    self._note(cid, now)
                elif now.messages > _WORTH_ASKING:
                    unknown[cid] = now
            offset += len(page)
            if len(page) < _PAGE or (since and _is_before(page[-1].get("last_activity"), since)):
                break
        self._last_look = began - _SLACK if began is not None else None
        return unknown

    def _note(self, cid: int, now: _Count) -> None:
        before = self._seen.get(cid, _Count())
        self._seen[cid] = now
        sent = weight(now.messages - before.messages, now.size_bytes - before.size_bytes)
        if sent > 0:
            key = self._key_by_connection[cid]
            self._sent_by_key[key] = self._sent_by_key.get(key, 0.0) + sent

    def _know_server(self) -> None:
        """A server that was started again counts anew."""
        if self._server_id != self._system.server_id:
            self._server_id = self._system.server_id
            self._last_look = None
            for known in (self._key_by_connection, self._seen, self._ended):
                known.clear()

    # ── events ──────────────────────────────────────────────────────────────────────────────────

    async def _came(self, message: Message) -> None:
        if (event := self._event(message)) is not None:
            cid, key, _ = event
            self._key_by_connection[cid] = key

    async def _went(self, message: Message) -> None:
        if (event := self._event(message)) is not None:
            cid, key, last = event
            self._key_by_connection[cid] = key
            self._note(cid, last)
            del self._key_by_connection[cid], self._seen[cid]
            self._ended.add(cid)

    def _event(self, message: Message) -> tuple[int, str, _Count] | None:
        """The connection that an event is about, whose it is, what came over it: of this server alone."""
        try:
            content: dict[str, Any] = json.loads(message.data)
            client, sent = content["client"], content.get("sent") or {}  # by the client
            count = _Count(int(sent.get("msgs", 0)), int(sent.get("bytes", 0)))
            event = int(client["id"]), str(client.get("user", "")), count
            is_own = content["server"]["id"] == self._system.server_id
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        self._know_server()
        return event if is_own else None

    # ── questions ───────────────────────────────────────────────────────────────────────────────

    async def _connections(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        return _connections_in(await self._asked(wanted))

    async def _asked(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """What the server knows of its clients' connections; raises GatewayError."""
        subject = f"$SYS.REQ.SERVER.{self._system.server_id}.CONNZ"
        reply = await self._system.request(subject, json.dumps({"acc": self._account, **wanted}).encode())
        try:
            found: dict[str, Any] = json.loads(reply)["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise GatewayError("the NATS server gave an answer that cannot be read") from error
        return found


def _connections_in(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.get("connections") or []
    return found


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None


def _is_before(text: Any, moment: datetime) -> bool:
    at = _moment(text)
    return at is not None and at < moment
