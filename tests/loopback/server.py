"""An OpenAI-compatible server on 127.0.0.1 that answers from a function, and fails as it is told to.

    async with ModelServer(answer=lambda request: "def f(): ...", script={"flaky": ["500", "500", "ok"]}) as server:
        … server.url, server.requests, server.open_connections

Serves `/v1/models` and `/v1/chat/completions` (plain and streamed, `n`, `usage`). It counts what it sees, so that a
test can say that nothing was leaked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

Fault: TypeAlias = Literal[
    "ok",
    "429",
    "500",
    "401",
    "hang",
    "truncated",
    "stalled",
    "dropped",
    "garbage",
    "no_choices",
    "no_text",
    "length",
    "unstreamed",
    "error_body",
    "page",
    "refusal",
    "filtered",
    "parts",
    "tool_calls",
    "reasoning",
]
"""What happens to a request. `length`: half of the text, with that finish reason. `dropped`: closed without a byte.
`stalled`: half of a stream, and then nothing more until the client goes.
`unstreamed`: one whole document, also where a stream was asked for. `error_body`, `page`: an error, or a proxy's page,
under status 200. `parts`: the content is a list of typed parts. `reasoning`: the text comes as reasoning alone."""
FAULTS: tuple[Fault, ...] = get_args(Fault)


class ChatRequest(NamedTuple):
    """What a client asked for."""

    model: str
    prompt: str
    """The text of all messages."""
    n: int
    stream: bool
    body: dict[str, Any]
    headers: dict[str, str]
    at: float
    """When it came, in seconds of the event loop's clock."""


Answer: TypeAlias = Callable[[ChatRequest], str]


class ModelServer:
    """Serves until the block is left; then every connection is closed."""

    def __init__(
        self,
        *,
        answer: Answer,
        models: Sequence[str] = ("loopback",),
        script: Mapping[str, Sequence[Fault]] | None = None,
        refused: Sequence[str] = (),
        retry_after_s: float = 0.01,
        latency: Callable[[ChatRequest], float] = lambda _: 0.0,
        after: anyio.Event | None = None,
        port: int = 0,
    ) -> None:
        """Make a server.

        Args:
            answer: the text of an answer.
            models: what `/v1/models` lists.
            script: model → the fate of its successive requests, the last one for all that follow; `*` is any model.
            refused: parameters that are answered with 400, as OpenAI does; `system` is the role.
            retry_after_s: what a 429 asks for.
            latency: seconds before an answer begins.
            after: no answer begins before it is set.
            port: 0 is any.
        """
        self.requests: list[ChatRequest] = []
        self.open_connections = 0
        self.half_sent = anyio.Event()
        """Set when the first answer has stalled."""
        self.most_at_once: Counter[str] = Counter()
        """Of each model's requests under way."""
        self._answer = answer
        self._models = models
        self._script = script or {}
        self._refused = refused
        self._retry_after_s = retry_after_s
        self._latency = latency
        self._after = after
        self._port = port
        self._asked: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self._stack = AsyncExitStack()
        self._changed = anyio.Event()

    @property
    def url(self) -> str:
        """The `api_base`."""
        return f"http://127.0.0.1:{self._port}/v1"

    async def __aenter__(self) -> ModelServer:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=self._port)
        self._port = listener.extra(SocketAttribute.local_port)
        await self._stack.enter_async_context(listener)
        group = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(group.cancel_scope.cancel)
        group.start_soon(listener.serve, self._connection)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def until_asked(self, times: int = 1) -> None:
        """Wait for the first request, or for so many."""
        while len(self.requests) < times:
            await self._changed.wait()

    async def until_left(self, staying: int = 0) -> None:
        """Wait until every connection is closed, or all but some."""
        while self.open_connections > staying:
            await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def _connection(self, stream: SocketStream) -> None:
        self.open_connections += 1
        try:
            async with stream:
                reader = BufferedByteReceiveStream(stream)
                while await self._exchange(stream, reader):
                    pass
        except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        finally:
            self.open_connections -= 1
            self._tell()

    async def _exchange(self, stream: SocketStream, reader: BufferedByteReceiveStream) -> bool:
        """One request and its response; whether the connection is still good."""
        head = (await reader.receive_until(b"\r\n\r\n", 1 << 16)).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.receive_exactly(int(headers.get("content-length", "0")))
        method, path, _ = first.split(" ")
        if (method, path) == ("GET", "/v1/models"):
            entries = [{"id": name, "object": "model", "owned_by": "loopback"} for name in self._models]
            await _send_json(stream, 200, {"object": "list", "data": entries})
            return True
        if (method, path) == ("POST", "/v1/chat/completions"):
            request = self._note(json.loads(body), headers)
            try:
                return await self._chat(stream, reader, request)
            finally:
                self._under_way[request.model] -= 1
        await _send_json(stream, 404, _error(f"no such path: {path}"))
        return True

    async def _chat(self, stream: SocketStream, reader: BufferedByteReceiveStream, request: ChatRequest) -> bool:
        headers = request.headers
        why = next((_REFUSALS[name] for name in self._refused if _has(request.body, name)), None)
        if why is not None:
            await _send_json(stream, 400, _error(why))
            return True
        match self._fate(request.model):
            case "429":
                wait = f"retry-after: {self._retry_after_s}\r\n"
                await _send_json(stream, 429, _error("rate limit reached"), wait)
            case "500":
                await _send_json(stream, 500, _error("the server had an error"))
            case "401":
                await _send_json(stream, 401, _error(f"incorrect API key: {headers.get('authorization', '')}"))
            case "hang":
                await reader.receive()  # ends when the client gives up
            case "dropped":
                return False
            case "garbage":
                await _send(stream, 200, b'{"choices": [{"mess', "application/json")
            case "error_body":
                await _send_json(stream, 200, _error("the upstream provider is overloaded"))
            case "page":
                await _send(stream, 200, b"<html><head><title>Log in</title></head></html>", "text/html")
            case "no_choices":
                await _send_json(stream, 200, _completion(request, []))
            case "stalled":
                await self._reply(stream, request, "truncated")
                self.half_sent.set()
                await reader.receive()
                return False
            case fate:
                return await self._reply(stream, request, fate)
        return True

    def _note(self, body: dict[str, Any], headers: dict[str, str]) -> ChatRequest:
        prompt = "\n\n".join(str(message["content"]) for message in body["messages"])
        request = ChatRequest(
            model=body["model"],
            prompt=prompt,
            n=body.get("n") or 1,
            stream=bool(body.get("stream")),
            body=body,
            headers=headers,
            at=anyio.current_time(),
        )
        self.requests.append(request)
        self._under_way[request.model] += 1
        self.most_at_once |= self._under_way
        self._tell()
        return request

    def _fate(self, model: str) -> Fault:
        script = self._script.get(model) or self._script.get("*") or ("ok",)
        position = min(self._asked[model], len(script) - 1)
        self._asked[model] += 1
        return script[position]

    async def _reply(self, stream: SocketStream, request: ChatRequest, fate: Fault) -> bool:
        if self._after is not None:
            await self._after.wait()
        if (seconds := self._latency(request)) > 0:
            await anyio.sleep(seconds)
        texts = [self._answer(request) for _ in range(request.n)]
        if fate == "no_text":
            texts = [""] * request.n
        if fate in ("length", "truncated"):
            texts = [text[: len(text) // 2] for text in texts]
        reason = {"length": "length", "filtered": "content_filter", "tool_calls": "tool_calls"}.get(fate, "stop")
        if request.stream and fate != "unstreamed":
            return await _stream_reply(stream, request, texts, reason, fate)
        choices = [
            {"index": index, "finish_reason": reason, "message": {"role": "assistant"} | _said(text, fate)}
            for index, text in enumerate(texts)
        ]
        document = json.dumps(_completion(request, choices)).encode()
        if fate == "truncated":
            await stream.send(_head(200, "application/json", f"content-length: {len(document) + 100}\r\n") + document)
            return False
        await _send(stream, 200, document, "application/json")
        return True


_REFUSALS = {
    "temperature": "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) is.",
    "top_p": "Unsupported parameter: 'top_p' is not supported with this model.",
    "max_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
    "max_completion_tokens": "Unknown parameter: 'max_completion_tokens'.",
    "stream_options": "Unrecognized request argument supplied: stream_options",
    "stream": "Streaming is not supported: set stream to false.",
    "system": "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
    "reasoning_effort": "Unrecognized request argument supplied: reasoning_effort",
}


def _has(body: dict[str, Any], name: str) -> bool:
    if name == "system":
        return any(message["role"] == "system" for message in body["messages"])
    return bool(body.get(name))


def _said(text: str, fate: Fault) -> dict[str, Any]:
    """A message, or a piece of one, as the fate has it."""
    match fate:
        case "refusal":
            return {"content": None, "refusal": "I cannot assist with that."}
        case "filtered":
            return {"content": ""}
        case "tool_calls":
            call = {"index": 0, "id": "1", "type": "function", "function": {"name": "run", "arguments": "{}"}}
            return {"content": None, "tool_calls": [call]}
        case "parts":
            return {"content": [{"type": "text", "text": text}]}
        case "reasoning":
            return {"content": "", "reasoning_content": text}
        case _:
            return {"content": text}


async def _stream_reply(stream: SocketStream, request: ChatRequest, texts: list[str], reason: str, fate: Fault) -> bool:
    """Server-sent events in chunks of a few characters; a torn one ends without the last event and without the end."""
    torn = fate == "truncated"
    await stream.send(_head(200, "text/event-stream", "transfer-encoding: chunked\r\n"))
    for index, text in enumerate(texts):
        for start in range(0, len(text), 64):
            await _send_event(stream, _chunk(request, index, _said(text[start : start + 64], fate), None))
        if not torn:
            await _send_event(stream, _chunk(request, index, {}, reason))
    if torn:
        return False
    if request.body.get("stream_options") == {"include_usage": True}:
        last = _chunk(request, 0, {}, None)
        last.update(choices=[], usage=_usage(request, texts))
        await _send_event(stream, last)
    await _send_chunk(stream, b"data: [DONE]\n\n")
    await stream.send(b"0\r\n\r\n")
    return True


def _completion(request: ChatRequest, choices: list[dict[str, Any]]) -> dict[str, Any]:
    texts = [str(choice["message"]["content"] or "") for choice in choices]
    return {
        "id": "chatcmpl-loopback",
        "object": "chat.completion",
        "created": 0,
        "model": request.model,
        "choices": choices,
        "usage": _usage(request, texts),
    }


def _chunk(request: ChatRequest, index: int, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-loopback",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": request.model,
        "choices": [{"index": index, "delta": {"role": "assistant"} | delta, "finish_reason": reason}],
    }


def _usage(request: ChatRequest, texts: list[str]) -> dict[str, int]:
    """A token is four characters here, rounded up."""
    prompt, answers = -(-len(request.prompt) // 4), sum(-(-len(text) // 4) for text in texts)
    return {"prompt_tokens": prompt, "completion_tokens": answers, "total_tokens": prompt + answers}


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "loopback", "code": None}}


def _head(status: int, kind: str, more: str) -> bytes:
    return f"HTTP/1.1 {status} loopback\r\ncontent-type: {kind}\r\n{more}\r\n".encode()


async def _send(stream: SocketStream, status: int, body: bytes, kind: str, more: str = "") -> None:
    await stream.send(_head(status, kind, f"content-length: {len(body)}\r\n{more}") + body)


async def _send_json(stream: SocketStream, status: int, document: dict[str, Any], more: str = "") -> None:
    await _send(stream, status, json.dumps(document).encode(), "application/json", more)


async def _send_event(stream: SocketStream, document: dict[str, Any]) -> None:
    await _send_chunk(stream, b"data: " + json.dumps(document).encode() + b"\n\n")


async def _send_chunk(stream: SocketStream, data: bytes) -> None:
    await stream.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")
