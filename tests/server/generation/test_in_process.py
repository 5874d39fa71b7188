"""A model of this process: tiny, random and made on the spot, loaded as a real one is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from codeens_sandbox_backends.extras import installing_extra
from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.errors import InputError
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import Message, ModelError, Reply, Sampling
from codeens_server.generation.models.resolve import resolve_models

pytestmark = pytest.mark.anyio
QUESTION = (Message(role="system", content="You write Python."), Message(role="user", content="Write f."))
TEMPLATE = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant:"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `save_pretrained` leaves it: a Llama of two layers that knows bytes."""
    torch: Any = pytest.importorskip("torch", reason="torch is not installed: models in this process need it")
    transformers: Any = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizers: Any = pytest.importorskip("tokenizers")
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    words = {token: number for number, token in enumerate(["<end>", *alphabet])}
    bytewise = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=words, merges=[]))
    bytewise.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.decoder = tokenizers.decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=bytewise, eos_token="<end>")
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        eos_token_id=0,
        bos_token_id=None,
    )
    folder = tmp_path_factory.mktemp("tiny")
    tokenizer.save_pretrained(folder)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def model_of(folder: Path, **more: Any) -> ModelSettings:
    (model,) = resolve_models(
        (), Settings(models=(ModelSettings(name="tiny", model=f"transformers/{folder}", **more),)), {}
    )
    return model


async def answer(model: ModelSettings, *, temperature: float, max_tokens: int = 12) -> Reply:
    async with Models((model,), {}) as client:
        return await client.ask("tiny", QUESTION, Sampling(temperature=temperature, max_tokens=max_tokens))


async def test_a_model_of_this_process_answers_alike_at_temperature_0_and_by_a_seed(tiny: Path) -> None:
    model = model_of(tiny)
    first = await answer(model, temperature=0.0)
    assert first == await answer(model, temperature=0.0)
    assert (first.model, first.tokens_out, first.finish_reason, first.cost_usd) == ("tiny", 12, "length", 0.0)
    assert first.tokens_in == len("system: You write Python.\nuser: Write f.\nassistant:")
    seeded = replace(model, params={"seed": 7})
    drawn = await answer(seeded, temperature=1.0)
    assert drawn == await answer(seeded, temperature=1.0)
    assert drawn.text != first.text


async def test_an_answer_that_nobody_waits_for_ends_with_the_next_token(tiny: Path) -> None:
    async with Models((model_of(tiny),), {}) as client:
        with anyio.move_on_after(0.2) as scope:
            await client.ask("tiny", QUESTION, Sampling(temperature=0.0, max_tokens=10_000_000))
        assert scope.cancelled_caught
        # One answers at a time: this one comes once the first has stopped.
        assert (await client.ask("tiny", QUESTION, Sampling(temperature=0.0, max_tokens=1))).tokens_out == 1


async def test_weights_that_are_not_there_are_one_clear_error(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        await answer(model_of(tmp_path), temperature=0.0)


def test_it_costs_nothing_answers_one_question_at_a_time_and_has_no_fallbacks(tmp_path: Path) -> None:
    model = model_of(tmp_path)
    assert (model.input_cost_per_token, model.output_cost_per_token, model.max_parallel) == (0.0, 0.0, 1)
    other = ModelSettings(name="other", model="openai/x", fallbacks=("tiny",))
    with pytest.raises(InputError, match="stands alone"):
        resolve_models((), Settings(models=(model, other)), {})


async def test_without_its_packages_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelError, match="needs torch") as caught:
        await answer(model_of(tmp_path), temperature=0.0)
    assert f"{installing_extra('transformers')}, and torch" in str(caught.value)
