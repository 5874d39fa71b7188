"""Models over HTTP: real LiteLLM against the loopback server."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSListener
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from codeens_server.config.settings import Settings
from codeens_server.doctor.models import model_checks
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import Message, ModelError, Reply, Sampling
from tests.loopback.server import Fault, ModelServer
from tests.server.generation.makers import ANSWER, ENVIRON, KEY, QUESTION, SAMPLING, model

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),  # pydantic's, of LiteLLM's own code
]


async def _ask(server: ModelServer, name: str = "m", **more: object) -> Reply:
    async with Models([model(name, server.url, **more)], ENVIRON) as client:
        return await client.ask(name, QUESTION, SAMPLING)


async def _left(server: ModelServer) -> None:
    """No connection is leaked: all are closed by now, or within moments."""
    with anyio.fail_after(60):
        await server.until_left()


async def test_an_answer_comes_with_its_tokens_cost_and_model() -> None:
    async with ModelServer(answer=lambda _: ANSWER) as server:
        reply = await _ask(server)
        await _left(server)
    assert reply.text == ANSWER
    assert (reply.model, reply.finish_reason) == ("m", "stop")
    assert (reply.tokens_in, reply.tokens_out) == (2, -(-len(ANSWER) // 4))
    assert reply.cost_usd == pytest.approx(reply.tokens_in * 1e-6 + reply.tokens_out * 2e-6)
    assert server.requests[0].stream
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.requests[0].body["max_tokens"] == SAMPLING.max_tokens


async def test_the_end_of_one_run_does_not_close_the_connections_of_another() -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"slow": ["hang"]}) as server:
        async with Models([model("slow", server.url)], ENVIRON) as slow, anyio.create_task_group() as group:
            group.start_soon(slow.ask, "slow", QUESTION, SAMPLING)
            await server.until_asked()
            assert (await _ask(server)).text == ANSWER
            assert server.open_connections >= 1
            assert [request.model for request in server.requests] == ["slow", "m"]
            group.cancel_scope.cancel()
        await _left(server)


async def test_an_answer_cut_for_its_length_is_kept_and_says_so() -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": ["length"]}) as server:
        reply = await _ask(server)
    assert (reply.text, reply.finish_reason) == (ANSWER[: len(ANSWER) // 2], "length")


async def test_a_request_is_not_made_again_before_the_server_allows_it() -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": ["429", "ok"]}, retry_after_s=1) as server:
        assert (await _ask(server)).text == ANSWER
    first, second = (request.at for request in server.requests)
    assert second - first >= 1


async def test_an_empty_answer_is_one_and_has_the_price_of_both_questions() -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": ["no_text"]}) as server:
        reply = await _ask(server)
        await _left(server)
    assert (reply.text, reply.tokens_out) == ("", 0)
    assert [request.stream for request in server.requests] == [True, False]
    assert reply.tokens_in == 4
    assert reply.cost_usd == pytest.approx(reply.tokens_in * 1e-6)


async def test_a_whole_document_in_place_of_a_stream_is_an_answer_and_is_asked_for_from_then_on() -> None:
    async with (
        ModelServer(answer=lambda _: ANSWER, script={"m": ["unstreamed"]}) as server,
        Models([model("m", server.url)], ENVIRON) as client,
    ):
        assert (await client.ask("m", QUESTION, SAMPLING)).text == ANSWER
        assert (await client.ask("m", QUESTION, SAMPLING)).text == ANSWER
    assert [request.stream for request in server.requests] == [True, False, False]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("error_body", "the upstream provider is overloaded"),
        ("page", "<title>Log in</title>"),
        ("garbage", "the server failed: Unterminated string"),
        ("no_choices", "the answer has no choices"),
        ("parts", "its content is a list of parts"),
    ],
)
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
async def test_what_is_no_answer_is_named(fault: Fault, why: str) -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": [fault]}) as server:
        with pytest.raises(ModelError) as caught:
            await _ask(server)
        await _left(server)
    assert why in caught.value.why
    assert "\n" not in caught.value.why


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("refusal", "the model refused: I cannot assist with that."),
        ("filtered", "content filter"),
        ("tool_calls", "called a tool"),
    ],
)
async def test_an_answer_without_text_says_why_and_is_not_asked_for_again(fault: Fault, why: str) -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": [fault]}) as server:
        reply = await _ask(server)
    assert not reply.text
    assert why in reply.empty_because
    assert len(server.requests) == 1


async def test_reasoning_alone_is_given_as_such() -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": ["reasoning"]}) as server:
        reply = await _ask(server)
    assert reply.text == f"<think>\n{ANSWER}\n</think>"


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (("temperature",), {"max_tokens", "stream_options"}),
        (("max_tokens",), {"temperature", "max_completion_tokens", "stream_options"}),
        (("max_tokens", "max_completion_tokens", "temperature"), {"stream_options"}),
        (("stream_options",), {"temperature", "max_tokens"}),
        (("stream",), {"temperature", "max_tokens"}),
        (("system",), {"temperature", "max_tokens", "stream_options"}),
    ],
)
async def test_a_parameter_that_the_endpoint_refuses_is_left_out_from_then_on(
    refused: tuple[str, ...], expected: set[str]
) -> None:
    question = (Message(role="system", content="Be brief."), *QUESTION)
    async with (
        ModelServer(answer=lambda _: ANSWER, refused=refused) as server,
        Models([model("m", server.url)], ENVIRON) as client,
    ):
        assert (await client.ask("m", question, SAMPLING)).text == ANSWER
        assert (await client.ask("m", question, SAMPLING)).text == ANSWER
    assert len(server.requests) == len(refused) + 2
    last = server.requests[-1].body
    assert last.keys() - {"model", "messages", "stream"} == expected
    assert [message["role"] for message in last["messages"]] == ["user" if "system" in refused else "system", "user"]


async def test_parameters_and_headers_of_the_settings_are_sent() -> None:
    async with ModelServer(answer=lambda _: ANSWER, refused=("reasoning_effort",)) as server:
        settings = {
            "reasoning_effort": "low",
            "drop": ("temperature",),
            "params": {"seed": 7},
            "headers": {"X-A": "$H"},
        }
        async with Models([model("m", server.url, **settings)], ENVIRON | {"H": "b"}) as client:
            await client.ask("m", QUESTION, SAMPLING)
    assert server.requests[0].body["reasoning_effort"] == "low"
    assert server.requests[1].body.keys() - {"model", "messages", "stream"} == {"max_tokens", "stream_options", "seed"}
    assert server.requests[1].headers["x-a"] == "b"


@pytest.mark.parametrize(
    ("base", "why"),
    [
        ("http://127.0.0.1:9/v1", "the connection to http://127.0.0.1:9/v1 failed: nothing listens there"),
        ("http://no-such-host.invalid/v1", "the connection to http://no-such-host.invalid/v1 failed: there is no host"),
    ],
)
async def test_a_connection_that_does_not_come_about_names_its_address_and_why(base: str, why: str) -> None:
    async with Models([model("m", base)], ENVIRON) as client:
        with pytest.raises(ModelError) as caught:
            await client.ask("m", QUESTION, SAMPLING)
    assert caught.value.why.startswith(why)


def _own_certificate(folder: Path) -> ssl.SSLContext:
    """What a server shows that no authority knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    file = folder / "own.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_a_certificate_that_is_not_accepted_is_the_reason(tmp_path: Path) -> None:
    async def hang_up(stream: ByteStream) -> None:
        await stream.aclose()

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as plain,
        anyio.create_task_group() as group,
        Models([model("m", f"https://127.0.0.1:{plain.extra(SocketAttribute.local_port)}/v1")], ENVIRON) as client,
    ):
        group.start_soon(TLSListener(plain, _own_certificate(tmp_path), standard_compatible=False).serve, hang_up)
        with pytest.raises(ModelError) as caught:
            await client.ask("m", QUESTION, SAMPLING)
        group.cancel_scope.cancel()
        assert "its certificate" in caught.value.why
        assert caught.value.why.startswith("the connection to https://127.0.0.1:")


@pytest.mark.parametrize(
    ("name", "settings", "room"),
    [
        ("openai/gpt-4o-mini", {}, 4096),
        ("openai/o3-mini", {}, 16_384),
        ("openai/unheard-of", {"reasoning_effort": "low"}, 16_384),
        ("openai/gpt-3.5-turbo", {"reasoning_effort": "low"}, 4096),
        ("openai/o3-mini", {"max_tokens": 700}, 700),
    ],
)
async def test_a_model_that_reasons_has_room_for_it_as_far_as_it_can_write(
    name: str, settings: dict[str, object], room: int
) -> None:
    async with (
        ModelServer(answer=lambda _: ANSWER) as server,
        Models([model("m", server.url, model=name, **settings)], ENVIRON) as client,
    ):
        await client.ask("m", QUESTION, Sampling(temperature=1.0, max_tokens=None))
    body = server.requests[0].body
    assert (body.get("max_tokens") or body["max_completion_tokens"]) == room


async def test_a_key_that_is_not_set_is_named() -> None:
    async with Models([model("m", None, api_key_env="NOT_SET_KEY", model="openai/gpt-4.1-mini")], {}) as client:
        with pytest.raises(ModelError) as caught:
            await client.ask("m", QUESTION, SAMPLING)
    assert caught.value.why == "NOT_SET_KEY is not set"


@pytest.mark.parametrize(
    ("name", "base", "known"),
    [
        ("azure/gpt-4.1-mini", "https://me.openai.azure.com", True),
        ("openai/gpt-4.1-mini", "https://eu.api.openai.com/v1", True),
        ("openai/gpt-4.1-mini", "http://127.0.0.1:9/v1", False),
    ],
)
async def test_the_list_price_holds_at_the_providers_own_addresses_alone(name: str, base: str, known: bool) -> None:
    priced = model("m", base, model=name, input_cost_per_token=None, output_cost_per_token=None)
    async with Models([priced], ENVIRON) as client:
        assert ((await client.estimate("m", QUESTION, SAMPLING)).usd is not None) == known


async def test_refusals_for_a_while_are_waited_out() -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": ["429", "500", "ok"]}) as server:
        assert (await _ask(server)).text == ANSWER
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "why", "requests", "remedy"),
    [
        ("429", "still over the rate limit", 3, "later"),
        ("500", "the server failed: the server had an error", 3, "later"),
        ("401", "the key was refused: set LOOPBACK_API_KEY", 1, "key"),
        ("dropped", "the connection to http://127.0.0.1:", 3, "later"),
        ("truncated", "the connection ", 1, "models"),
    ],
)
async def test_a_fault_ends_as_one_line_without_the_key_and_says_what_mends_it(
    fault: Fault, why: str, requests: int, remedy: str
) -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": [fault]}) as server:
        with pytest.raises(ModelError) as caught:
            await _ask(server)
        await _left(server)
    assert caught.value.why.startswith(why)
    assert caught.value.remedy == remedy
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(server.requests) == requests


async def test_a_server_that_never_answers_is_given_up_after_the_timeout() -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": ["hang"]}) as server:
        with pytest.raises(ModelError, match=r"no answer within 0\.2 s"):
            await _ask(server, timeout_s=0.2)
        await _left(server)
    assert len(server.requests) == 1


async def test_cancelling_ends_the_request_and_its_connection() -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": ["hang"]}) as server:
        async with Models([model("m", server.url)], ENVIRON) as client, anyio.create_task_group() as group:
            group.start_soon(client.ask, "m", QUESTION, SAMPLING)
            with anyio.fail_after(60):
                await server.until_asked()
            group.cancel_scope.cancel()
        await _left(server)


async def test_a_fallback_steps_in_and_is_named() -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": ["401"]}) as server:
        models = [model("m", server.url, fallbacks=("other",)), model("other", server.url)]
        async with Models(models, ENVIRON) as client:
            reply = await client.ask("m", QUESTION, SAMPLING)
    assert reply.model == "other"
    assert [request.model for request in server.requests] == ["m", "other"]


async def test_a_price_that_nobody_knows_is_unknown_and_not_zero() -> None:
    async with ModelServer(answer=lambda _: ANSWER) as server:
        reply = await _ask(server, input_cost_per_token=None, output_cost_per_token=None)
    assert reply.cost_usd is None
    assert reply.tokens_out


async def test_no_more_requests_are_open_at_once_than_the_model_allows() -> None:
    both_there = anyio.Event()
    async with ModelServer(answer=lambda _: ANSWER, after=both_there) as server:
        limited = Models([model("m", server.url, max_parallel=2)], ENVIRON)
        async with limited as client, anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(client.ask, "m", QUESTION, SAMPLING)
            with anyio.fail_after(60):
                await server.until_asked(2)
            both_there.set()
        await _left(server)
    assert len(server.requests) == 6
    assert server.most_at_once == {"m": 2}


async def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": ["500"]}) as server:
        with pytest.raises(ModelError):
            await _ask(server)
    assert capfd.readouterr() == ("", "")


async def test_the_doctor_asks_each_model_for_one_token_and_says_which_do_not_answer() -> None:
    async with ModelServer(answer=lambda _: "yes", script={"refused": ["401"]}) as server:
        models = tuple(model(name, server.url) for name in ("well", "refused"))
        checks = await model_checks(Settings(models=models), ENVIRON, ask=True)

    told = {check.name: (check.works, check.detail) for check in checks}
    assert told["well"] == (True, "openai/well, answered")
    assert told["refused"] == (False, "the key was refused: set LOOPBACK_API_KEY")
    assert {request.body["max_tokens"] for request in server.requests} == {1}
