"""Messages are cut out of a stream whatever pieces it comes in."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from codeens_server.lsp.transport.channels import BadFrame, Frames, framed


def test_messages_come_out_as_they_went_in_for_pieces_of_any_size() -> None:
    bodies = [b"{}", b"", "\N{SNOWMAN}".encode(), b"x" * 5000, b"Content-Length: 3\r\n\r\n"]
    stream = b"".join(map(framed, bodies))
    for size in (1, 2, 3, 7, 64, len(stream)):
        frames = Frames()
        found = [message for at in range(0, len(stream), size) for message in frames.feed(stream[at : at + size])]
        assert found == bodies


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 2\r\n\r\n",
        b"content-length:2\r\n\r\n",
        b"Content-Length: 2\n\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_headers_may_be_written_in_any_way_that_is_understood(header: bytes) -> None:
    assert list(Frames().feed(header + b"{}")) == [b"{}"]


def test_a_message_too_large_is_told_and_its_bytes_are_passed_over() -> None:
    frames = Frames(most_bytes=10)
    stream = framed(b"y" * 1000) + framed(b"{}")
    found = [message for at in range(0, len(stream), 17) for message in frames.feed(stream[at : at + 17])]
    assert isinstance(found[0], BadFrame)
    assert "1000 bytes is too large" in found[0].why
    assert found[1:] == [b"{}"]


def test_after_noise_the_next_message_is_found() -> None:
    noise = random.Random(1).randbytes(20_000).replace(b"\n", b"")
    found = list(Frames().feed(noise + framed(b"{}") + framed(b"[]")))
    assert isinstance(found[0], BadFrame)
    assert found[1:] == [b"{}", b"[]"]


def test_a_line_without_end_does_not_grow() -> None:
    frames = Frames()
    tracemalloc.start()
    for _ in range(1000):
        assert not list(frames.feed(b"z" * 10_000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000
