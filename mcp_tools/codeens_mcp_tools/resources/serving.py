"""Runs, what was kept of their candidates, and variants, as resources; with completions for their names."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp_types import Completion, CompletionArgument, CompletionContext, PromptReference, ResourceTemplateReference

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.resources import contents
from codeens_mcp_tools.resources.contents import ARTIFACTS
from codeens_mcp_tools.tools.fitting import URI
from codeens_mcp_tools.tools.history import known_ids

RUN = "run://{id}"
ARTIFACT = "run://{id}/{candidate}/{artifact}"
VARIANT = "variant://{name}"
_GOALS = ("speed", "memory", "readability", "balanced", "correctness")
_JSON = "application/json"
_MOST_COMPLETIONS = 100


def add_resources(server: MCPServer[Any], app: AppContext) -> None:
    """Give a server its resources and completions."""
    reading = _Reading(app)
    description = "The document of a run, whole: evidence, every candidate with its code, verdict and measurements."
    server.resource(RUN, name="run", title="A run", description=description, mime_type=_JSON)(reading.run)
    description = f"What is kept of a candidate of a run: {', '.join(ARTIFACTS)}. `original` is the function as it was."
    server.resource(ARTIFACT, name="artifact", title="A candidate's artifact", description=description)(
        reading.artifact
    )
    description = "A way to ask, with its prompt."
    server.resource(VARIANT, name="variant", title="A variant", description=description, mime_type=_JSON)(
        reading.variant
    )
    description = "A part of an answer that was too long; the URI is in that answer."
    server.resource(URI, name="answer", title="A whole answer", description=description)(reading.answer)
    server.completion()(reading.complete)


class _Reading:
    """Reads the resources."""

    def __init__(self, app: AppContext) -> None:
        self._app = app

    async def run(self, id: str) -> str:  # noqa: A002 # the template's name for it
        """A run."""
        return await contents.run(self._app, id)

    async def artifact(self, id: str, candidate: str, artifact: str) -> str:  # noqa: A002 # the template's name for it
        """An artifact of a candidate."""
        return await contents.artifact(self._app, id, candidate, artifact)

    async def variant(self, name: str) -> str:
        """A variant."""
        return await contents.variant(self._app, name)

    async def answer(self, id: str, offset: str) -> str:  # noqa: A002 # the template's name for it
        """A part of an answer."""
        return contents.answer_part(self._app, id, offset)

    async def complete(
        self,
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        """Names that begin with what is typed."""
        given = (context.arguments if context else None) or {}
        fitting = [name for name in await self._names(ref, argument.name, given) if name.startswith(argument.value)]
        return Completion(
            values=fitting[:_MOST_COMPLETIONS], total=len(fitting), has_more=len(fitting) > _MOST_COMPLETIONS
        )

    async def _names(
        self, ref: PromptReference | ResourceTemplateReference, name: str, given: dict[str, str]
    ) -> list[str]:
        if isinstance(ref, PromptReference):
            return list(_GOALS) if name == "goal" else []
        if name == "artifact":
            return list(ARTIFACTS)
        if ref.uri == VARIANT:
            return await contents.variant_names(self._app)
        if name == "id":
            return await known_ids(self._app)
        return await contents.candidate_ids(self._app, given.get("id", ""))
