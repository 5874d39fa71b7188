"""Models in this process, by transformers: weights of a folder, or those that Hugging Face's cache has or fetches.

Weights are read as safetensors and no code that comes with them is run.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import anyio.to_thread

from codeens_sandbox_backends.extras import installing_extra
from codeens_server.config.settings import ModelSettings
from codeens_server.generation.models.exchange import ModelError, Reply

PREFIX = "transformers/"
_OWN_NAMES = {"max_tokens": "max_new_tokens"}
_NOT_SENT = frozenset({"messages", "stream", "stream_options", "seed", "reasoning_effort"})


def is_in_process(model: ModelSettings) -> bool:
    """Return whether a model runs in this process."""
    return model.model.startswith(PREFIX)


class _Loaded(NamedTuple):
    """Of libraries whose types nobody has."""

    torch: Any
    transformers: Any
    tokenizer: Any
    network: Any


class InProcessModel:
    """One model, loaded by the first question, that answers one question at a time."""

    def __init__(self, model: ModelSettings) -> None:
        self._model = model
        self._one_at_a_time = threading.Lock()
        self._loaded: _Loaded | None = None

    async def ask(self, arguments: Mapping[str, Any]) -> Reply:
        """Return one answer. What is cancelled stops at the next token.

        Args:
            arguments: the messages and parameters as a server would be sent them.

        Raises:
            ModelError: it cannot be loaded, or it fails.
        """
        stopped = threading.Event()
        try:
            return await anyio.to_thread.run_sync(self._answer, arguments, stopped, abandon_on_cancel=True)
        finally:
            stopped.set()

    def _answer(self, arguments: Mapping[str, Any], stopped: threading.Event) -> Reply:
        with self._one_at_a_time:
            if self._loaded is None:
                self._loaded = self._load()
            return _generated(self._model.name, self._loaded, arguments, stopped)

    def _load(self) -> _Loaded:
        name = self._model.model.removeprefix(PREFIX)
        try:
            torch, transformers = import_module("torch"), import_module("transformers")
        except ImportError as error:
            fix = f"{installing_extra('transformers')}, and torch as pytorch.org has it for this machine"
            raise ModelError(self._model.name, f"it runs in this process, which needs {error.name}: {fix}") from None
        try:
            tokenizer: Any = transformers.AutoTokenizer.from_pretrained(name)
            network: Any = transformers.AutoModelForCausalLM.from_pretrained(name, dtype="auto", use_safetensors=True)
        except (OSError, ValueError) as error:
            raise ModelError(self._model.name, f"{name} cannot be loaded: {str(error).splitlines()[0]}") from error
        return _Loaded(torch, transformers, tokenizer, network.to(_device(torch)).eval())


def _device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _prompt(tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> Any:
    """Return the tokens of a chat: as the model's own template has it; without one, one text after the other."""
    if tokenizer.chat_template:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return tokenizer(text, return_tensors="pt", add_special_tokens=False)
    return tokenizer("\n\n".join(message["content"] for message in messages), return_tensors="pt")


def _generated(name: str, loaded: _Loaded, arguments: Mapping[str, Any], stopped: threading.Event) -> Reply:
    torch, transformers, tokenizer, network = loaded
    asked = {_OWN_NAMES.get(key, key): value for key, value in arguments.items() if key not in _NOT_SENT}
    if not asked.get("temperature"):
        asked = {key: value for key, value in asked.items() if key not in {"temperature", "top_p", "top_k"}}
    if (seed := arguments.get("seed")) is not None:
        torch.manual_seed(seed)
    tokens = _prompt(tokenizer, arguments["messages"]).to(network.device)

    def is_stopped(*_: object, **__: object) -> bool:
        return stopped.is_set()

    with torch.inference_mode():
        whole = network.generate(
            **tokens,
            **asked,
            do_sample="temperature" in asked,
            pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id,
            stopping_criteria=transformers.StoppingCriteriaList([is_stopped]),
        )[0]
    read = tokens["input_ids"].shape[1]
    written = whole[read:].tolist()
    was_cut = len(written) >= asked["max_new_tokens"] and written[-1] != tokenizer.eos_token_id
    return Reply(
        text=tokenizer.decode(written, skip_special_tokens=True),
        model=name,
        tokens_in=read,
        tokens_out=len(written),
        cost_usd=0.0,
        finish_reason="length" if was_cut else "stop",
    )
