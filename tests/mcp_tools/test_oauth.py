"""OAuth resource-server mode: only tokens that the issuer made for this server let a client in."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.mcp_tools.outside import listening
from tests.mcp_tools.test_http import HEADERS
from tests.mcp_tools.test_stdio import INITIALIZE

RESOURCE = "http://127.0.0.1:4390/mcp"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer(ThreadingHTTPServer):
    """An authorization server's metadata and keys, on loopback."""

    daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def document(self, path: str) -> dict[str, Any] | None:
        """What is published at a path."""
        if path == "/.well-known/oauth-authorization-server":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        public = KEY.public_key().public_numbers()
        key = {"kty": "RSA", "kid": "one", "n": _number(public.n), "e": _number(public.e)}
        return {"keys": [key]} if path == "/keys" else None


def _number(value: int) -> str:
    """A number as RFC 7518 writes it."""
    written = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the standard library's name for it
        assert isinstance(self.server, Issuer)
        document = self.server.document(self.path)
        body = json.dumps(document).encode()
        self.send_response(404 if document is None else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the standard library's name for it
        """Say nothing."""


@contextmanager
def issuing() -> Generator[Issuer]:
    with Issuer(("127.0.0.1", 0), _Handler) as issuer:
        thread = Thread(target=issuer.serve_forever)
        thread.start()
        try:
            yield issuer
        finally:
            issuer.shutdown()
            thread.join()


def token(issuer: Issuer, *, key: rsa.RSAPrivateKey = KEY, **change: Any) -> str:
    """An access token; a change of None leaves a claim out."""
    claims = {"iss": issuer.url, "aud": RESOURCE, "exp": int(time.time()) + 600, "sub": "me", "scope": "use", **change}
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, "RS256", headers={"kid": "one"})


@pytest.fixture
def doors(tmp_path: Path, home: Path) -> Generator[tuple[Issuer, str]]:
    with issuing() as issuer:
        options = ("--oauth-issuer", issuer.url, "--oauth-resource", RESOURCE, "--oauth-scope", "use")
        with listening(tmp_path, home, *options) as server:
            yield issuer, server.url


def status(url: str, bearer: str) -> httpx.Response:
    headers = {**HEADERS, "Authorization": f"Bearer {bearer}"}
    return httpx.post(url, json=INITIALIZE, headers=headers, timeout=100, trust_env=False)


def test_only_tokens_made_for_this_server_let_a_client_in(doors: tuple[Issuer, str]) -> None:
    issuer, url = doors
    secret = jwt.encode({"iss": issuer.url, "aud": RESOURCE, "exp": 9e9}, "x" * 32, "HS256", headers={"kid": "one"})
    wrong = {
        "another key": token(issuer, key=OTHER),
        "another server": token(issuer, aud="http://127.0.0.1:1/mcp"),
        "another issuer": token(issuer, iss="http://127.0.0.1:1"),
        "expired": token(issuer, exp=int(time.time()) - 600),
        "for ever": token(issuer, exp=None),
        "a shared secret": secret,
        "unsigned": jwt.encode({"iss": issuer.url, "aud": RESOURCE, "exp": 9e9}, "", "none", headers={"kid": "one"}),
        "no token": "x",
    }

    assert status(url, token(issuer)).status_code == 200
    for name, bearer in wrong.items():
        assert status(url, bearer).status_code == 401, name
    assert status(url, token(issuer, scope="other")).status_code == 403


def test_a_client_without_a_token_is_told_where_to_get_one(doors: tuple[Issuer, str]) -> None:
    issuer, url = doors
    refused = httpx.post(url, json=INITIALIZE, headers=HEADERS, timeout=100, trust_env=False)
    metadata = httpx.get(
        url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp"), timeout=100, trust_env=False
    ).json()

    assert refused.status_code == 401
    assert "resource_metadata=" in refused.headers["www-authenticate"]
    assert metadata["authorization_servers"][0].rstrip("/") == issuer.url
