"""An OpenID Connect provider in a thread: Authlib's server behind real HTTP on loopback."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from fastapi import FastAPI, Request, Response
from joserfc.jwk import RSAKey

CLIENT, SECRET = "xiangyin", "a secret between the two"
START_SECONDS = 20


@dataclass
class Person:
    """Somebody who is logged in at the provider."""

    sub: str
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class Code:
    """An authorisation code that was handed out."""

    code: str
    redirect_uri: str
    scope: str
    person: Person
    nonce: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class Client(ClientMixin):  # type: ignore[misc]
    """The console, as the provider knows it."""

    client_id = CLIENT

    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri

    def get_client_id(self) -> str:
        return CLIENT

    def get_allowed_scope(self, scope: str) -> str:
        return "openid" if "openid" in scope.split() else ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Provider(AuthorizationServer):  # type: ignore[misc]
    """The organisation's login. person : who sits there; forged : claims put over the true ones

    asked : the parameters of every authorisation request
    """

    def __init__(self, issuer: str, redirect_uri: str) -> None:
        super().__init__(scopes_supported=["openid"])
        self.issuer, self.client = issuer, Client(redirect_uri)
        self.person: Person | None = Person("nobody")
        self.forged: dict[str, Any] = {}
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.signs = self.key
        self.codes: dict[str, Code] = {}
        self.asked: list[dict[str, str]] = []
        self.register_token_generator("default", BearerTokenGenerator(lambda **_: "opaque" * 6))
        self.register_grant(_Grant, [CodeChallenge(required=True), _Identity(self)])

    def query_client(self, client_id: str) -> Client | None:
        return self.client if client_id == CLIENT else None

    def save_token(self, token: Any, request: Any) -> None:
        return None

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        return None

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        written = json.dumps(body) if isinstance(body, dict) else body
        return Response(written, status, dict(headers))

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }


class _Grant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        given = request.payload.data
        self.server.codes[code] = Code(
            code,
            given["redirect_uri"],
            request.scope,
            request.user,
            given.get("nonce", ""),
            given.get("code_challenge", ""),
            given.get("code_challenge_method", ""),
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        found: Code | None = self.server.codes.get(code)
        return found

    def delete_authorization_code(self, authorization_code: Code) -> None:
        del self.server.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: Code) -> Person:
        return authorization_code.person


class _Identity(OpenIDCode):  # type: ignore[misc]
    def __init__(self, provider: Provider) -> None:
        super().__init__(require_nonce=True)
        self.provider = provider

    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
        return False

    def resolve_client_private_key(self, client: Client) -> RSAKey:
        return self.provider.signs

    def get_client_algorithm(self, client: Client) -> str:
        return "RS256"

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": "RS256", "kid": "one"}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self.provider.issuer, "aud": [CLIENT]}

    def generate_user_info(self, user: Person, scope: str) -> UserInfo:
        # After the true claims, so that a test can forge any of them.
        return UserInfo(sub=user.sub, **user.more, **self.provider.forged)


@contextmanager
def running(redirect_uri: str) -> Iterator[Provider]:
    """Serve a provider until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    provider = Provider(f"http://127.0.0.1:{port}", redirect_uri)
    server = uvicorn.Server(uvicorn.Config(_app(provider), port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + START_SECONDS
    while not server.started:
        assert time.monotonic() < until, "the provider did not start"
        time.sleep(0.02)
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)


def _app(provider: Provider) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        return provider.discovery()

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        return {"keys": [provider.key.as_dict(private=False)]}

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        given = dict(request.query_params)
        provider.asked.append(given)
        asked = _request("GET", request, given)
        grant = provider.get_consent_grant(asked, provider.person)
        made: Response = provider.create_authorization_response(asked, provider.person, grant)
        return made

    @app.post("/token")
    async def token(request: Request) -> Response:
        given = {key: str(value) for key, value in (await request.form()).items()}
        made: Response = provider.create_token_response(_request("POST", request, given))
        return made

    return app


def _request(method: str, request: Request, given: dict[str, str]) -> OAuth2Request:
    # Authlib's server wants HTTPS; on loopback there is none.
    address = str(request.url).replace("http:", "https:", 1)
    made = OAuth2Request(method, address, headers=request.headers)
    made.payload = BasicOAuth2Payload(given)
    made._body = given
    return made
