"""What stands before the HTTP transport: a token, names and pages of this machine, and limits for each client."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import anyio
from msgspec import Struct
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from codeens_server.doors.local_http import OwnNames, is_bearer

_MOST_CLIENTS = 4096
SESSION_HEADER = "mcp-session-id"


class ClientLimits(Struct, frozen=True, kw_only=True):
    """What one client may do, and all together. A client is a session, or the address where there is none."""

    per_second: float = 200.0
    burst: float = 1000.0
    """Requests that may come at once after a pause."""
    at_once: int = 256
    """Requests of one client that are being answered."""
    all_at_once: int = 1024


class BearerGuard:
    """Lets through who knows the token (RFC 6750)."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not is_bearer(Headers(scope=scope), self._token):
            refusal = JSONResponse(
                {"error": "invalid_token", "error_description": "Authorization: Bearer TOKEN is missing or wrong."},
                status_code=401,
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


class NameGuard:
    """Refuses requests for other names than this machine's, and those that pages of other origins send."""

    def __init__(self, app: ASGIApp, names: OwnNames) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> JSONResponse | None:
        if not self._names.has_asked(headers):
            return JSONResponse({"error": "This server does not answer to that name."}, status_code=421)
        origin = headers.get("origin")
        if origin is not None and not self._names.has_page(origin):
            return JSONResponse({"error": "The request comes from the page of another server."}, status_code=403)
        return None


class LimitGuard:
    """Refuses what is too much with 429 (one client) or 503 (all together)."""

    def __init__(self, app: ASGIApp, limits: ClientLimits, clock: Callable[[], float] = anyio.current_time) -> None:
        self._app = app
        self._limits = limits
        self._clock = clock
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = self._client(scope)
        answer = self._refusal(client) or self._pass(client)
        await answer(scope, receive, send)

    def _client(self, scope: Scope) -> _Client:
        address = scope.get("client") or ("",)
        key = Headers(scope=scope).get(SESSION_HEADER) or str(address[0])
        client = self._clients.setdefault(key, _Client(self._limits.burst, self._clock()))
        self._clients.move_to_end(key)
        while len(self._clients) > _MOST_CLIENTS:
            self._clients.popitem(last=False)
        return client

    def _refusal(self, client: _Client) -> JSONResponse | None:
        if self._under_way >= self._limits.all_at_once:
            return _refused(503, "The server is busy.", 1.0)
        if client.under_way >= self._limits.at_once:
            return _refused(429, f"At most {self._limits.at_once} requests of a client at once.", 1.0)
        wait = client.take(self._clock(), self._limits)
        return _refused(429, f"At most {self._limits.per_second:g} requests a second.", wait) if wait else None

    def _pass(self, client: _Client) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
        async def passed(scope: Scope, receive: Receive, send: Send) -> None:
            self._under_way += 1
            client.under_way += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._under_way -= 1
                client.under_way -= 1

        return passed


class _Client:
    """A bucket that fills with time; a request takes one drop."""

    def __init__(self, drops: float, now: float) -> None:
        self.under_way = 0
        self._drops = drops
        self._at = now

    def take(self, now: float, limits: ClientLimits) -> float:
        """0 when the request may pass, else the seconds to wait."""
        self._drops = min(limits.burst, self._drops + (now - self._at) * limits.per_second)
        self._at = now
        if self._drops < 1.0:
            return (1.0 - self._drops) / limits.per_second
        self._drops -= 1.0
        return 0.0


def _refused(status: int, why: str, wait_s: float) -> JSONResponse:
    return JSONResponse({"error": why}, status_code=status, headers={"Retry-After": str(math.ceil(wait_s))})
