"""OAuth: tokens of an authorization server let clients in (RFC 9068 access tokens, checked by its published keys)."""

from __future__ import annotations

from argparse import Namespace
from typing import Any, cast

import anyio
import httpx
import jwt
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures only: with a shared secret, whoever can check a token could make one."""
_METADATA = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
_SECONDS = 10.0
_MOST_BYTES = 1 << 20
_ASKED_AGAIN_AFTER_S = 60.0


class OAuth(TokenVerifier):
    """Accepts the tokens that an issuer made for this server."""

    def __init__(self, issuer: str, resource: str, scopes: tuple[str, ...] = ()) -> None:
        """`resource` is this server's own URL, which tokens must name as their audience (RFC 8707)."""
        self._issuer = issuer.rstrip("/")
        self._resource = resource
        self._scopes = scopes
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked_at = -_ASKED_AGAIN_AFTER_S
        self._asking = anyio.Lock()

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
            key = await self._key(jwt.get_unverified_header(token).get("kid", ""))
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

    async def _key(self, name: str) -> jwt.PyJWK | None:
        """A key of the issuer. One that is not known makes it be call again, not too often."""
        async with self._asking:
            now = anyio.current_time()
            if name not in self._keys and now - self._asked_at >= _ASKED_AGAIN_AFTER_S:
                self._asked_at = now
                self._keys = await self._published()
            return self._keys.get(name)

    async def _published(self) -> dict[str, jwt.PyJWK]:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            for path in _METADATA:
                metadata = await _document(client, f"{self._issuer}{path}")
                if metadata and str(metadata.get("issuer", "")).rstrip("/") == self._issuer:
                    document = await _document(client, str(metadata["jwks_uri"]))
                    keys = jwt.PyJWKSet.from_dict(document or {"keys": []}).keys
                    return {key.key_id or "": key for key in keys}
        return {}


async def _document(client: httpx.AsyncClient, url: str) -> dict[str, Any] | None:
    async with client.stream("GET", url) as response:
        if not response.is_success:
            return None
        body = b""
        async for part in response.aiter_bytes():
            body += part
            if len(body) > _MOST_BYTES:
                return None
    document: Any = httpx.Response(200, content=body).json()
    return cast("dict[str, Any]", document) if isinstance(document, dict) else None
