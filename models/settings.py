"""The settings of one installation, read once in each process's composition root."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.errors import Misconfigured

MEGABYTE = 1024 * 1024


class Limits(BaseSettings):
    """What one report may hold, and what decoding one medium may cost."""

    model_config = SettingsConfigDict(
        env_prefix="XIANGYIN_LIMIT_", frozen=True, hide_input_in_errors=True
    )

    recording_bytes: int = 50 * MEGABYTE
    recording_seconds: int = 30 * 60
    image_bytes: int = 20 * MEGABYTE
    image_pixels: int = 60_000_000
    files: int = 10
    text_characters: int = 4_000
    decode_memory_bytes: int = 1_500 * MEGABYTE
    decode_cpu_seconds: int = 120
    decode_wall_seconds: int = 180


class Rates(BaseSettings):
    """How often things may be done, as the `limits` library writes it ("60/hour;600/day")."""

    model_config = SettingsConfigDict(
        env_prefix="XIANGYIN_RATE_", frozen=True, hide_input_in_errors=True
    )

    submissions_per_channel: str = "600/hour"
    submissions_per_address: str = "60/hour"
    guesses: str = Field("60/minute;1200/hour", description="wrong receipts over the whole server")
    guesses_per_address: str = "10/minute;60/hour"


class Settings(BaseSettings):
    """One frozen object; every field is an environment variable `XIANGYIN_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix="XIANGYIN_", frozen=True, hide_input_in_errors=True
    )

    data: Path = Field(Path("data"), description="folder of everything that is kept")
    database_url: str = Field("", description="SQLAlchemy address; empty: SQLite in `data`")
    redis_url: str = Field("", description="Redis address; empty: the embedded Valkey")
    blobs_url: str = Field("", description="address that obstore takes; empty: a folder in `data`")
    key_file: Path | None = Field(None, description="the key file; default `data`/key, mode 0600")
    packs: Path | None = Field(None, description="folder of language packs; default `data`/packs")
    pack: str = Field(
        "", description="pack to use; empty: the newest installed, else the demo pack"
    )

    host: str = "127.0.0.1"
    port: int = 8321
    public_url: str = Field("", description="address on posters; empty: http(s)://host:port")
    trusted_proxies: str = Field(
        "", description="addresses of reverse proxies whose X-Forwarded-For counts, with commas"
    )
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    default_channel: str = "default"

    limits: Limits = Field(default_factory=Limits)
    rates: Rates = Field(default_factory=Rates)
    idempotency_hours: int = 72
    retention_years: int = 10
    attempts: int = Field(3, description="tries of a job before its medium goes to a listener")
    sweep_seconds: int = Field(15, description="how often the sweeper looks for work left behind")
    stale_seconds: int = Field(60, description="age at which unfinished work is enqueued again")
    session_idle_minutes: int = 30

    device: str = Field("auto", description="auto, cpu or cuda")
    compute_type: str = "default"
    workers: int = Field(
        0, description="transcribe workers that `up` starts; 0: one a core, as memory allows"
    )
    threads: int = Field(
        0, description="threads a transcribe worker; 0: all cores, in `up` its share of them"
    )
    batch: int = Field(0, description="messages run together; 0: by device")
    batch_wait_ms: int = Field(40, description="how long a batch waits for company")

    log_level: str = "INFO"
    metrics_token: SecretStr = SecretStr("")
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.data / 'xiangyin.db').resolve()}"

    @property
    def blobs(self) -> str:
        return self.blobs_url or (self.data / "blobs").resolve().as_uri()

    @property
    def holidays(self) -> Path | None:
        """Give the deployment's own list of holidays, where it has one."""
        return _there(self.data / "holidays.toml")

    @property
    def codes(self) -> Path | None:
        """Give the deployment's own list of domains and conducts, where it has one."""
        return _there(self.data / "codes.toml")

    @property
    def keys(self) -> Path:
        return self.key_file or self.data / "key"

    @property
    def pack_folder(self) -> Path:
        return self.packs or self.data / "packs"

    @property
    def proxies(self) -> frozenset[str]:
        return frozenset(filter(None, (one.strip() for one in self.trusted_proxies.split(","))))

    @property
    def base_url(self) -> str:
        scheme = "https" if self.tls_certificate else "http"
        return self.public_url.rstrip("/") or f"{scheme}://{self.host}:{self.port}"


def read() -> Settings:
    """Read the settings from the environment; raise Misconfigured naming what does not fit."""
    try:
        return Settings()
    except ValidationError as error:
        prefixes = {each.__name__: each.model_config["env_prefix"] for each in (Limits, Rates)}
        prefix = prefixes.get(error.title, Settings.model_config["env_prefix"])
        wrong = {
            f"{prefix}{fault['loc'][0]}".upper(): fault["msg"]
            for fault in error.errors(include_input=False)
        }
        names = ", ".join(wrong)
        told = "; ".join(f"{name}: {why}" for name, why in wrong.items())
        raise Misconfigured(
            f"设置 {names} 的值不对，请改正这个环境变量。",
            f"A setting does not fit, correct the environment variable. {told}.",
            code="bad_setting",
        ) from None


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None
