"""What a model's endpoint takes: what it refuses by name is left out from then on, or sent as its successor.

Reasoning models refuse `temperature` and take `max_completion_tokens`; gateways and own servers refuse others. LiteLLM
knows that for models of its own list only, and an endpoint behind an address of one's own is in no list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from codeens_server.config.settings import ModelSettings
from codeens_server.generation.models.exchange import Message, Sampling

_SUCCESSORS = {"max_tokens": "max_completion_tokens"}
_STREAM_OPTIONS = "stream_options"
_SYSTEM = "system"


class RequestShape:
    """The parameters of one model's requests, and what was learnt of them."""

    def __init__(self, model: ModelSettings) -> None:
        self.streams = model.stream
        self._model = model
        self._dropped = set(model.drop)
        self._renamed: dict[str, str] = {}

    def arguments(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        """Return the arguments of LiteLLM's `acompletion`, but for the model."""
        wanted: dict[str, Any] = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "reasoning_effort": self._model.reasoning_effort,
            _STREAM_OPTIONS: {"include_usage": True} if self.streams else None,
            **self._model.params,
        }
        sent = {
            self._renamed.get(name, name): value
            for name, value in wanted.items()
            if value is not None and name not in self._dropped
        }
        role = {_SYSTEM: "user"} if _SYSTEM in self._dropped else {}
        texts = [{"role": role.get(message.role, message.role), "content": message.content} for message in messages]
        return {"messages": texts, "stream": self.streams, **sent}

    def adapt(self, refusal: str, arguments: dict[str, Any]) -> bool:
        """Learn from the words of a refusal; whether another request, without what it names, may be taken.

        Args:
            refusal: what the endpoint said.
            arguments: those of the request that it refused.
        """
        for name in sorted(arguments.keys() - {"messages", "stream"}, key=len, reverse=True):
            if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", refusal):
                self._leave_out(name)
                return True
        if re.search(r"\bstream(?:ing|ed|s)?\b", refusal, re.IGNORECASE) and self.streams:
            self.streams = False
            return True
        has_system = any(message["role"] == _SYSTEM for message in arguments["messages"])
        if has_system and re.search(r"\bsystem\b|\broles?\b", refusal, re.IGNORECASE):
            self._dropped.add(_SYSTEM)
            return True
        return False

    def _leave_out(self, sent: str) -> None:
        name = next((old for old, new in self._renamed.items() if new == sent), sent)
        if name in _SUCCESSORS and name not in self._renamed:
            self._renamed[name] = _SUCCESSORS[name]
        else:
            self._dropped.add(name)
