"""How the API speaks: bodies and answers are documents, and the OpenAPI document says which."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from fastapi import Request
from fastapi.responses import Response
from msgspec import Struct

from codeens_server.errors import InputError
from codeens_server.text import visible

T = TypeVar("T")
MOST_BYTES = 1 << 20
"""Of a request."""
_REF = "#/components/schemas/{name}"


class Refusal(Struct, frozen=True, kw_only=True):
    """Why nothing was done."""

    code: str
    message: str


class RefusedRequest(Struct, frozen=True, kw_only=True):
    """The body of every answer above 399."""

    error: Refusal


def answer(document: object, status: int = 200) -> Response:
    """Return a document as JSON."""
    return Response(msgspec.json.encode(document), status, media_type="application/json")


def refused(status: int, code: str, message: str) -> Response:
    """Return why nothing was done."""
    return answer(RefusedRequest(error=Refusal(code=code, message=message)), status)


def as_file(text: str, media_type: str, name: str) -> Response:
    """Return a text that a browser keeps as a file.

    Args:
        text: all of it.
        media_type: what it is, without the encoding.
        name: letters, digits, dots and dashes.
    """
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=media_type, headers=headers)


async def read_body(request: Request, kind: type[T], *, most: int = MOST_BYTES) -> T:
    """Return what a request brings.

    Raises:
        InputError: it is no such document, or too large.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            message = f"the request is larger than {most} bytes."
            raise InputError(message, code="too_large")
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"the request is not a {kind.__name__}: {visible(str(error))}."
        raise InputError(message, code="wrong_request") from None


def schemas_of(*documents: type[Struct]) -> dict[str, Any]:
    """Return the schemas of documents by name, as OpenAPI's `components` hold them."""
    _, components = msgspec.json.schema_components(documents, ref_template=_REF)
    return components


def says(documents: dict[int, type[Struct]]) -> dict[int | str, dict[str, Any]]:
    """Describe the answers of a route by their status."""
    return {
        status: {"description": (document.__doc__ or "").split("\n")[0], **_content(_ref(document))}
        for status, document in documents.items()
    }


def lists(line: type[Struct]) -> dict[int | str, dict[str, Any]]:
    """Describe the answer of a route that gives a list."""
    return {200: {"description": "One line each.", **_content({"type": "array", "items": _ref(line)})}}


def takes(document: type[Struct]) -> dict[str, Any]:
    """Describe what a route is sent."""
    return {"requestBody": {"required": True, **_content(_ref(document))}}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _ref(document: type[Struct]) -> dict[str, Any]:
    return {"$ref": _REF.format(name=document.__name__)}
