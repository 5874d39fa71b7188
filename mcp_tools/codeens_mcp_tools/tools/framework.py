"""A tool whose arguments and answers are the project's own types: one definition makes schema, checks and JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import anyio
import msgspec
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import CallToolResult, ContentBlock, ResourceLink, TextContent, ToolAnnotations
from msgspec import Struct

from codeens_mcp_tools.errors import error_text
from codeens_mcp_tools.tools.progress import ProgressReporter
from codeens_sandbox_backends.reading import converted
from codeens_server.store.documents import to_json

A = TypeVar("A", bound=Struct)


class ToolAnswer(Struct, frozen=True, kw_only=True):
    """What a tool answers."""

    text: str
    """A summary for a context window, that is enough to go on with."""
    document: Struct
    """The same for programs."""
    links: tuple[tuple[str, str], ...] = ()
    """Resources with the rest: (URI, what it is)."""


class ToolCall(Struct, Generic[A], frozen=True, kw_only=True):
    """A call of a tool."""

    arguments: A
    raw: dict[str, Any]
    """As they came."""
    reporter: ProgressReporter


Handler = Callable[[ToolCall[A]], Awaitable[ToolAnswer]]


class StructTool(Tool):
    """A tool of the SDK that reads its arguments into a Struct and answers with one."""

    kind: type[Struct]

    async def run(
        self,
        arguments: dict[str, Any],
        context: Context[Any, Any],
        convert_result: bool = False,  # noqa: ARG002 # the SDK's signature; the result is one in any case
    ) -> CallToolResult:
        """Call the handler. Every error is an answer that says so; cancellation passes through."""
        try:
            call = ToolCall(
                arguments=converted(arguments, self.kind),
                raw=arguments,
                reporter=ProgressReporter(context.report_progress),
            )
            answer: ToolAnswer = await self.fn(call)
            return await anyio.to_thread.run_sync(_result, answer) if answer.links else _result(answer)
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
    view: str | None = None,
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
        view: URI of the page that shows its answers where the host can.
    """
    return StructTool(
        fn=handler,
        kind=kind,
        name=name,
        title=title,
        description=description,
        parameters=input_schema(kind),
        fn_metadata=FuncMetadata(arg_model=ArgModelBase, output_schema=output_schema(*answers)),
        is_async=True,
        context_kwarg=None,
        annotations=annotations,
        meta={"ui": {"resourceUri": view}} if view else None,
    )


def _result(answer: ToolAnswer) -> CallToolResult:
    content: list[ContentBlock] = [TextContent(text=answer.text)]
    content += [ResourceLink(uri=uri, name=uri, description=what) for uri, what in answer.links]
    return CallToolResult(content=content, structured_content=msgspec.json.decode(to_json(answer.document)))


_TEMPLATE = "#/$defs/{name}"


def input_schema(kind: type[Struct]) -> dict[str, Any]:
    """The schema of a tool's arguments: an object."""
    return _inlined(kind)


def output_schema(*kinds: type[Struct]) -> dict[str, Any]:
    """The schema of a tool's structured answer: an object, of one of several types."""
    if len(kinds) == 1:
        return _inlined(kinds[0])
    roots, components = msgspec.json.schema_components(kinds, ref_template=_TEMPLATE)
    return {"type": "object", "anyOf": list(roots), "$defs": components}


def _inlined(kind: type[Struct]) -> dict[str, Any]:
    """With the root's properties at the top, where clients look for them."""
    (root,), components = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
    schema: dict[str, Any] = components.pop(root["$ref"].rpartition("/")[2])
    return {**schema, "$defs": components} if components else schema
