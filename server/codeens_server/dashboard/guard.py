"""What stands before the dashboard: a token, the names that it answers to, and what browsers may do with its pages."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codeens_server.doors.local_http import OwnNames, is_bearer, is_same, shown_host

COOKIE = "codeens_dashboard"
_SAFE = frozenset({"GET", "HEAD"})
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class GuardedDoor(Struct, frozen=True, kw_only=True):
    """Where the dashboard is, and who is let in."""

    host: str
    port: int
    token: str

    @property
    def url(self) -> str:
        """What opens the dashboard: it holds the token, and a browser keeps it out of its address bar."""
        return f"http://{shown_host(self.host)}:{self.port}/?{urlencode({'token': self.token})}"


class Guard:
    """Lets through who knows the token: as bearer token (RFC 6750), by the cookie, or once in the address.

    Other names of this machine are refused, and so is what would change something and comes from another origin's page.
    """

    def __init__(self, app: ASGIApp, door: GuardedDoor) -> None:
        self._app = app
        self._token = door.token.encode()
        self._names = OwnNames(door.host, door.port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await (self._refusal(scope) or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return what is answered in place of the page; None: it may be asked for."""
        headers = Headers(scope=scope)
        if not self._names.has_asked(headers):
            return _refused(421, "wrong_host", "This server does not answer to that name.")
        if scope["method"] not in _SAFE and not self._is_own(headers):
            return _refused(403, "wrong_origin", "The request comes from the page of another server.")
        if given := dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token"):
            return self._let_in(scope, given)
        return None if self._is_known(headers) else _locked()

    def _is_own(self, headers: Headers) -> bool:
        """Return whether a request comes from a page of ours, or from no page but with the token in its head."""
        origin = headers.get("origin")
        if origin is None:
            return "authorization" in headers
        return self._names.has_page(origin)

    def _is_known(self, headers: Headers) -> bool:
        if (is_known := is_bearer(headers, self._token)) is not None:
            return is_known
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and is_same(cookie.value, self._token)

    def _let_in(self, scope: Scope, given: str) -> Response:
        """Keep a token from the address in a cookie that no script can read, and send the browser to the page alone."""
        if not is_same(given, self._token) or scope["method"] not in _SAFE:
            return _locked()
        rest = [item for item in parse_qsl(scope["query_string"].decode("latin-1")) if item[0] != "token"]
        path = "/" + scope["path"].lstrip("/")
        answer = RedirectResponse(f"{path}?{urlencode(rest)}" if rest else path, status_code=303)
        answer.set_cookie(COOKIE, given, httponly=True, samesite="strict", path="/")
        return answer


def _locked() -> Response:
    answer = _refused(401, "no_token", "Open the address that `codeens dashboard` printed: it holds the token.")
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _refused(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
