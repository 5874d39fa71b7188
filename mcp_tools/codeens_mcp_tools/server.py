"""The MCP server: tools, resources, prompts and the view."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.server.apps import Apps, ResourceCsp
from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp_types import INVALID_PARAMS, ListResourcesResult, PaginatedRequestParams, Resource
from mcp_types import Tool as MCPTool

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.resources.prompts import add_prompts
from codeens_mcp_tools.resources.serving import add_resources
from codeens_mcp_tools.resources.view import page
from codeens_mcp_tools.tools.declarations import VIEW, tools_of
from codeens_mcp_tools.tools.history import run_lines
from codeens_mcp_tools.transport.stdio import Received, Sent

NAME = "codeens"
INSTRUCTIONS = (
    "codeens finds better implementations of Python functions and proves them: candidates are run in a sandbox, held "
    "to tests, examples and the original, measured and ranked. For a function in the workspace call start_ensemble, "
    "then get_run until it is finished, then apply_candidate. For candidates that you wrote call score. To write them "
    "by codeens' prompts, without a key, call generate_variants with prompts_only=true. To only run code call "
    "run_in_sandbox. Nothing is written into a file unless apply_candidate is called with write_to."
)


_PAGE = 50
"""Resources."""


class Server(MCPServer[Any]):
    """The SDK's server, that can also be served over streams which are not standard input and output."""

    def __init__(self, app: AppContext, **options: Any) -> None:
        super().__init__(NAME, **options)
        self._app = app

    async def list_tools(self) -> list[MCPTool]:
        """What there is. Who asks for it will call one: what that needs is imported meanwhile."""
        self._app.prepare()
        return await super().list_tools()

    async def _handle_list_resources(
        self, ctx: ServerRequestContext[Any], params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """List runs too, a page at a time; the cursor is how many were listed."""
        listed = await super()._handle_list_resources(ctx, None)
        cursor = params.cursor if params and params.cursor else "0"
        if not cursor.isdecimal():
            raise MCPError(INVALID_PARAMS, f"{cursor!r} is no cursor of this list.")
        offset = int(cursor)
        lines = await run_lines(self._app, offset + _PAGE + 1)
        runs = [
            Resource(uri=f"run://{line.run_id}", name=line.run_id, title=f"{line.function}: {line.state}")
            for line in lines[offset : offset + _PAGE]
        ]
        return ListResourcesResult(
            resources=[*([] if offset else listed.resources), *runs],
            next_cursor=str(offset + _PAGE) if len(lines) > offset + _PAGE else None,
        )

    async def serve(self, received: Received, sent: Sent) -> None:
        """Serve one client, until it closes its end."""
        await self._lowlevel_server.run(received, sent, self._lowlevel_server.create_initialization_options())


def make_server(
    app: AppContext,
    *,
    auth: AuthSettings | None = None,
    token_verifier: TokenVerifier | None = None,
    more_tools: Sequence[Tool] = (),
) -> Server:
    """A server for any number of clients.

    Args:
        app: what the tools share.
        auth: with `token_verifier`: how clients prove who they are, over HTTP.
        token_verifier: checks their tokens.
        more_tools: served beside those of codeens.
    """
    apps = Apps()
    csp = ResourceCsp(connect_domains=[], resource_domains=[], frame_domains=[], base_uri_domains=[])
    apps.add_html_resource(
        VIEW, page(), name="run view", title="Run", description="The ranked table of a run, live.", csp=csp
    )
    server = Server(
        app,
        title="codeens",
        instructions=INSTRUCTIONS,
        version=version("codeens"),
        tools=[*tools_of(app), *more_tools],
        extensions=[apps],
        auth=auth,
        token_verifier=token_verifier,
        log_level="ERROR",
    )
    add_resources(server, app)
    add_prompts(server)
    return server
