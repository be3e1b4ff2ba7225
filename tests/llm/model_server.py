"""A small real HTTP server that speaks the two wire formats, as scripted."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

MODEL = "tiny-1"
"""As the server names the model that answers."""


@dataclass(frozen=True)
class Turn:
    """How one request is answered."""

    text: str = "Hello, world."
    finish: Literal["stop", "length", "refusal", "filter", "none"] = "stop"
    """Why the answer ends; with `none` the stream ends without a reason."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    says: str = "no"
    """The error's message, where the status is one."""
    kind: str = ""
    """The error's kind, as the body names it."""
    fails_after: bool = False
    """The error comes within the stream, after the text."""
    stalls: bool = False
    """After the text nothing comes any more, and no end."""
    drops: bool = False
    """The connection is cut after the text."""
    endless: bool = False
    """The text comes again and again."""
    raw: str | None = None
    """The body of the answer, instead of all this."""
    tokens: bool = True
    """Whether the answer says what it took: 30 read, 8 of them from the cache and 2 to it, and 5 written."""


@dataclass(frozen=True)
class Request:
    """What the server was sent."""

    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class ModelServer:
    """Answers each request with the next turn, the last one again and again."""

    turns: list[Turn] = field(default_factory=lambda: [Turn()])
    requests: list[Request] = field(default_factory=list[Request])
    url: str = ""
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client ends a connection before its answer was over."""
    connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = field(
        default_factory=dict[asyncio.StreamWriter, "asyncio.Task[None] | None"]
    )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections[writer] = asyncio.current_task()
        try:
            while request := await _read(reader):
                self.requests.append(request)
                turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
                await self._answer(request, turn, reader, writer)
                if turn.drops:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            writer.close()

    async def _answer(
        self, request: Request, turn: Turn, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        dialect = _anthropic if request.path.endswith("/messages") else _openai
        failed = turn.status >= 300 and not turn.fails_after
        kind = "application/json" if failed else "text/event-stream"
        given = "".join(f"{name}: {value}\r\n" for name, value in turn.headers.items())
        writer.write(
            f"HTTP/1.1 {turn.status if failed else 200} x\r\ncontent-type: {kind}\r\n{given}"
            "transfer-encoding: chunked\r\n\r\n".encode()
        )
        if failed:
            _chunk(writer, json.dumps(_error(turn)))
        elif turn.raw is not None:
            _chunk(writer, turn.raw)
        else:
            for event in dialect(turn):
                _chunk(writer, event)
                await writer.drain()
                await asyncio.sleep(0)
        if turn.drops:
            return
        if turn.stalls:
            await reader.read()
            self.hung_up.set()
            return
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    line = (await reader.readline()).decode()
    if not line:
        return None
    headers: dict[str, str] = {}
    while header := (await reader.readline()).decode().strip():
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(line.split()[1], headers, json.loads(body or b"null"))


def _chunk(writer: asyncio.StreamWriter, text: str) -> None:
    data = text.encode()
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def _error(turn: Turn) -> Any:
    told = {"message": turn.says, "type": turn.kind or "some_error", "code": turn.kind or None}
    return {"type": "error", "error": told}


def _pieces(turn: Turn) -> Iterator[str]:
    while True:
        for start in range(0, len(turn.text), 4):
            yield turn.text[start : start + 4]
        if not turn.endless:
            return


def _openai(turn: Turn) -> Iterator[str]:
    def event(choices: list[Any], **more: Any) -> str:
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
        return f"data: {json.dumps({**chunk, 'choices': choices, **more})}\n\n"

    def choice(delta: Any, finish: str | None = None) -> list[Any]:
        return [{"index": 0, "delta": delta, "finish_reason": finish}]

    yield event(choice({"role": "assistant", "content": ""}))
    for piece in _pieces(turn):
        yield event(choice({"refusal" if turn.finish == "refusal" else "content": piece}))
    if turn.fails_after:
        yield f"data: {json.dumps(_error(turn))}\n\n"
    if turn.stalls or turn.drops or turn.finish == "none" or turn.fails_after:
        return
    finish = {"length": "length", "filter": "content_filter"}.get(turn.finish, "stop")
    yield event(choice({}, finish))
    if turn.tokens:
        details = {"cached_tokens": 8, "cache_write_tokens": 2}
        usage = {"prompt_tokens": 30, "completion_tokens": 5, "total_tokens": 35}
        yield event([], usage={**usage, "prompt_tokens_details": details})
    yield "data: [DONE]\n\n"


def _anthropic(turn: Turn) -> Iterator[str]:
    def event(kind: str, **more: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n"

    reads = {"input_tokens": 20, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 2}
    usage = {**(reads if turn.tokens else {"input_tokens": 0}), "output_tokens": 1}
    message = {"id": "1", "type": "message", "role": "assistant", "model": MODEL, "content": []}
    yield event("message_start", message={**message, "stop_reason": None, "usage": usage})
    yield event("ping")
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for piece in _pieces(turn) if turn.finish != "refusal" else ():
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
    if turn.fails_after:
        yield event("error", error=_error(turn)["error"])
    if turn.stalls or turn.drops or turn.finish == "none" or turn.fails_after:
        return
    yield event("content_block_stop", index=0)
    finish = {"length": "max_tokens", "stop": "end_turn"}.get(turn.finish, "refusal")
    delta: dict[str, Any] = {"stop_reason": finish, "stop_sequence": None}
    if turn.finish == "refusal":
        delta["stop_details"] = {"type": "refusal", "category": None, "explanation": turn.text}
    yield event("message_delta", delta=delta, usage={"output_tokens": 5 if turn.tokens else 0})
    yield event("message_stop")


@asynccontextmanager
async def model_server(*turns: Turn) -> AsyncGenerator[ModelServer]:
    """A server on 127.0.0.1 that gives these answers."""
    server = ModelServer(list(turns) or [Turn()])
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        listening.close()
        for writer in server.connections:
            writer.close()
        await asyncio.gather(*(task for task in server.connections.values() if task is not None))
