"""A tool whose arguments and answers are the project's own types: one definition makes schema, checks and JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import anyio
import msgspec
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import CallToolResult, ContentBlock, ResourceLink, TextContent, ToolAnnotations
from msgspec import Struct

from codeens_mcp_tools.calls import CallDesk, HeldCall
from codeens_mcp_tools.errors import error_text, without_keys
from codeens_mcp_tools.tools.documents import ToolAnswer
from codeens_mcp_tools.tools.fitting import MOST_TOKENS, TEXT_TOKENS, WholeAnswers, fitted, shortened, tokens
from codeens_mcp_tools.tools.progress import ProgressReporter
from codeens_mcp_tools.tools.schemas import explained, input_schema, mended, output_schema
from codeens_sandbox_backends.reading import converted
from codeens_server.store.documents import to_json

A = TypeVar("A", bound=Struct)
_FOR_LINKS = 500
"""Tokens."""


class ToolCall(Struct, Generic[A], frozen=True, kw_only=True):
    """A call of a tool."""

    arguments: A
    raw: dict[str, Any]
    """As they came, mended (`schemas.mended`)."""
    held: HeldCall

    @property
    def reporter(self) -> ProgressReporter:
        """The progress of the call."""
        return self.held.reporter


Handler = Callable[[ToolCall[A]], Awaitable[ToolAnswer]]


class StructTool(Tool):
    """A tool of the SDK that reads its arguments into a Struct and answers with one."""

    kind: type[Struct]
    respond: Callable[[ToolCall[Any]], Awaitable[CallToolResult]]
    """Answers a call, in a size that fits a context window."""

    async def run(
        self,
        arguments: dict[str, Any],
        context: Context[Any, Any],
        convert_result: bool = False,  # noqa: ARG002 # the SDK's signature; the result is one in any case
    ) -> CallToolResult:
        """Call the handler. Every error is an answer that says so; cancellation passes through."""
        try:
            given = mended(arguments, self.parameters)
            held = HeldCall(self.name, ProgressReporter(context.report_progress))
            call = ToolCall(arguments=converted(given, self.kind), raw=given, held=held)
            return await self.respond(call)
        except msgspec.ValidationError as error:
            said = without_keys(explained(error, self.parameters))
            return CallToolResult(content=[TextContent(text=said)], is_error=True)
        except Exception as error:  # noqa: BLE001
            # An agent must be told of any error in words; none may end the server.
            return CallToolResult(content=[TextContent(text=error_text(error))], is_error=True)


def make_tool(
    name: str,
    kind: type[A],
    handler: Handler[A],
    *,
    title: str,
    description: str,
    answers: Sequence[type[Struct]],
    annotations: ToolAnnotations,
    whole: WholeAnswers,
    desk: CallDesk | None = None,
    view: str | None = None,
    hidden: Sequence[str] = (),
) -> StructTool:
    """A tool.

    Args:
        name: what it is called by.
        kind: the type of its arguments.
        handler: what it does.
        title: for people.
        description: for agents.
        answers: the types that `ToolAnswer.document` can have.
        annotations: what it does to the world.
        whole: keeps what is too long for an answer.
        desk: where its calls are handed over that take long.
        view: URI of the page that shows its answers where the host can.
        hidden: paths of arguments that are taken and not shown; see `input_schema`.
    """

    async def respond(call: ToolCall[A]) -> CallToolResult:
        work = partial(handler, call)
        answer = await (work() if desk is None else desk.answered(call.held, work))
        return await anyio.to_thread.run_sync(_result, answer, whole)

    return StructTool(
        fn=handler,
        kind=kind,
        respond=respond,
        name=name,
        title=title,
        description=description,
        parameters=input_schema(kind, *hidden),
        fn_metadata=FuncMetadata(arg_model=ArgModelBase, output_schema=output_schema(*answers)),
        is_async=True,
        context_kwarg=None,
        annotations=annotations,
        meta={"ui": {"resourceUri": view}} if view else None,
    )


def _result(answer: ToolAnswer, whole: WholeAnswers) -> CallToolResult:
    """Return an answer that fits a context window, with where the rest of it can be read."""
    document: dict[str, Any] = msgspec.json.decode(to_json(answer.document))
    document["summary"] = answer.text if answer.summary is None else answer.summary
    text = shortened(answer.text, TEXT_TOKENS)
    document["summary"] = shortened(document["summary"], (MOST_TOKENS - tokens(text)) // 3)
    cut, left_out = fitted(document, MOST_TOKENS - tokens(text) - _FOR_LINKS)
    links = list(answer.links)
    if left_out or text != answer.text:
        uri = whole.kept(to_json({**document, "text": answer.text}))
        cut["left_out"] = {"parts": list(left_out), "whole": uri}
        text = f"{text}\nParts were left out ({'; '.join(left_out[:3]) or 'text'}). The whole answer: {uri}"
        links.append((uri, "the whole answer, a part at a time"))
    content: list[ContentBlock] = [TextContent(text=text)]
    content += [ResourceLink(uri=uri, name=uri, description=what) for uri, what in links]
    return CallToolResult(content=content, structured_content=cut)
