"""Running the web process."""

from __future__ import annotations

import uvicorn

from api.app import create_app
from models.errors import Misconfigured
from models.settings import Settings

GRACE_SECONDS = 10
KEEP_ALIVE_SECONDS = 20


def serve(settings: Settings | None = None) -> None:
    """Serve until told to stop, over HTTPS where a certificate is set.

    What a client says about where it comes from is not believed; what a proxy says only for the
    limits (`api.address`), and it is never written down.
    """
    settings = settings or Settings()
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise Misconfigured(
            "HTTPS 需要同时设置证书和私钥：XIANGYIN_TLS_CERTIFICATE 和 XIANGYIN_TLS_KEY。",
            "HTTPS needs a certificate and its key: set both XIANGYIN_TLS_CERTIFICATE and "
            "XIANGYIN_TLS_KEY.",
            code="half_tls",
        )
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        access_log=False,
        # Nothing here speaks WebSocket, and uvicorn logs the address of whoever tries.
        ws="none",
        server_header=False,
        proxy_headers=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
