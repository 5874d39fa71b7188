"""OAuth: tokens of an authorization server let clients in (RFC 9068 access tokens, checked by its published keys)."""

from __future__ import annotations

import threading
import time
from argparse import Namespace
from typing import Any

import anyio.to_thread
import httpx
import jwt
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from msgspec import Struct
from pydantic import AnyHttpUrl

from codeens_sandbox_backends.reading import decoded

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures only: with a shared secret, whoever can check a token could make one."""
_METADATA = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
_SECONDS = 10.0
_ASKED_AGAIN_AFTER_S = 60.0


class _Metadata(Struct, frozen=True):
    issuer: str = ""
    jwks_uri: str = ""


class OAuth(TokenVerifier):
    """Accepts the tokens that an issuer made for this server."""

    def __init__(self, issuer: str, resource: str, scopes: tuple[str, ...] = ()) -> None:
        """`resource` is this server's own URL, which tokens must name as their audience (RFC 8707)."""
        self._issuer = issuer.rstrip("/")
        self._resource = resource
        self._scopes = scopes
        self._published: jwt.PyJWKClient | None = None
        self._asked_at = -_ASKED_AGAIN_AFTER_S
        self._asking = threading.Lock()

    @classmethod
    def asked_for(cls, call: Namespace) -> OAuth | None:
        """As the arguments of `codeens-server` say."""
        if call.oauth_issuer is None:
            return None
        address = call.mcp_address
        resource = call.oauth_resource or f"http://{address.host}:{address.port}/mcp"
        return cls(call.oauth_issuer, resource, tuple(call.oauth_scope or ()))

    def settings(self) -> AuthSettings:
        """For the SDK: what clients are told, and what every token must allow."""
        return AuthSettings(
            issuer_url=AnyHttpUrl(self._issuer),
            resource_server_url=AnyHttpUrl(self._resource),
            required_scopes=list(self._scopes),
        )

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who a token is for; None when it is not good here."""
        try:
            name = jwt.get_unverified_header(token).get("kid", "")
            key = await anyio.to_thread.run_sync(self._key, name)
            if key is None:
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=_ALGORITHMS,
                audience=self._resource,
                issuer=[self._issuer, f"{self._issuer}/"],
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, httpx.HTTPError, ValueError):
            return None
        return AccessToken(
            token=token,
            client_id=str(claims.get("client_id") or claims.get("azp") or claims.get("sub") or ""),
            scopes=str(claims.get("scope", "")).split(),
            expires_at=int(claims["exp"]),
            resource=self._resource,
            subject=str(claims["sub"]) if "sub" in claims else None,
        )

    def _key(self, name: str) -> jwt.PyJWK | None:
        """Return a key of the issuer; blocks. One that is not known makes it be asked again, not too often."""
        with self._asking:
            known = _named(name, self._published.get_signing_keys() if self._published else [])
            now = time.monotonic()
            if known is not None or now - self._asked_at < _ASKED_AGAIN_AFTER_S:
                return known
            self._asked_at = now
            self._published = self._published or self._discovered()
            return _named(name, self._published.get_signing_keys(refresh=True) if self._published else [])

    def _discovered(self) -> jwt.PyJWKClient | None:
        """Return the issuer's published keys, by its metadata (RFC 8414, OpenID Connect Discovery)."""
        for path in _METADATA:
            response = httpx.get(f"{self._issuer}{path}", timeout=_SECONDS, trust_env=False)
            metadata = decoded(response.content, _Metadata) if response.is_success else _Metadata()
            if metadata.issuer.rstrip("/") == self._issuer:
                return jwt.PyJWKClient(metadata.jwks_uri, timeout=_SECONDS)
        return None


def _named(name: str, keys: list[jwt.PyJWK]) -> jwt.PyJWK | None:
    return next((key for key in keys if (key.key_id or "") == name), None)
