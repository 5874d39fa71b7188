"""What the tests use of smolagents, which has no types of its own."""

from collections.abc import Sequence
from typing import Any

class Tool:
    name: str
    description: str
    inputs: dict[str, dict[str, Any]]
    output_type: str
    skip_forward_signature_validation: bool
    def __init__(self) -> None: ...

class OpenAIServerModel:
    def __init__(self, model_id: str, *, api_base: str, api_key: str) -> None: ...

class ToolCallingAgent:
    def __init__(
        self, tools: Sequence[Tool], model: OpenAIServerModel, *, max_steps: int, verbosity_level: int
    ) -> None: ...
    def run(self, task: str) -> object: ...
