"""The server with what the conformance suite wants by fixed names: `python -m tests.mcp_tools.fixture_server ROOT`."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp.server.mcpserver import Context, MCPServer, Message, UserMessage
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import (
    AudioContent,
    BlobResourceContents,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)

from codeens_mcp_tools.context import ServerOptions, open_context
from codeens_mcp_tools.server import make_server
from codeens_mcp_tools.transport.http import Access, serve_http

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_SOUND = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA="


def text() -> str:
    """Text."""
    return "This is a simple text response for testing."


def image() -> ImageContent:
    """An image."""
    return ImageContent(data=_PIXEL, mime_type="image/png")


def sound() -> AudioContent:
    """A sound."""
    return AudioContent(data=_SOUND, mime_type="audio/wav")


def embedded() -> EmbeddedResource:
    """A resource inside of an answer."""
    return _embedded("test://embedded-resource")


def mixed() -> list[TextContent | ImageContent | EmbeddedResource]:
    """Several at once."""
    return [TextContent(text="Several:"), image(), _embedded("test://mixed-content-resource")]


def failing() -> str:
    """An error."""
    raise ToolError("This tool fails, as it should.")


async def progressing(ctx: Context[Any, Any]) -> str:
    """Progress."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100)
    return "done"


def prompt() -> str:
    """A prompt."""
    return "This is a simple prompt for testing."


def prompt_with_arguments(arg1: str, arg2: str) -> str:
    """A prompt of two arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


def prompt_with_resource(resourceUri: str) -> list[Message]:  # noqa: N803 # the suite's name for it
    """A prompt that holds a resource."""
    return [UserMessage(_embedded(resourceUri)), UserMessage("Process it.")]


def prompt_with_image() -> list[Message]:
    """A prompt that holds an image."""
    return [UserMessage(image()), UserMessage("Look at it.")]


def static_text() -> str:
    """Text."""
    return "This is the content of the static text resource."


def static_binary() -> bytes:
    """Bytes."""
    return base64.b64decode(_PIXEL)


def of_template(id: str) -> str:  # noqa: A002 # the suite's name for it
    """Text made from the URI."""
    return f'{{"id": "{id}", "templateTest": true}}'


def _embedded(uri: str) -> EmbeddedResource:
    contents: TextResourceContents | BlobResourceContents = TextResourceContents(
        uri=uri, mime_type="text/plain", text="Embedded."
    )
    return EmbeddedResource(resource=contents)


def add_fixtures(server: MCPServer[Any]) -> None:
    """Give a server what the suite asks for."""
    for name, tool in {
        "test_simple_text": text,
        "test_image_content": image,
        "test_audio_content": sound,
        "test_embedded_resource": embedded,
        "test_multiple_content_types": mixed,
        "test_error_handling": failing,
        "test_tool_with_progress": progressing,
    }.items():
        server.add_tool(tool, name=name)
    server.prompt("test_simple_prompt")(prompt)
    server.prompt("test_prompt_with_arguments")(prompt_with_arguments)
    server.prompt("test_prompt_with_embedded_resource")(prompt_with_resource)
    server.prompt("test_prompt_with_image")(prompt_with_image)
    server.resource("test://static-text", mime_type="text/plain")(static_text)
    server.resource("test://static-binary", mime_type="image/png")(static_binary)
    server.resource("test://template/{id}/data", mime_type="application/json")(of_template)


async def _serve(root: Path) -> None:
    async with open_context(ServerOptions(roots=(root,))) as app:
        server = make_server(app)
        add_fixtures(server)
        await serve_http(server, Access(host="127.0.0.1", port=0, token=None))


if __name__ == "__main__":
    anyio.run(_serve, Path(sys.argv[1]))
