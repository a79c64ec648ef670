"""Settings as environment variables, so that a started process reads the very same ones."""

from __future__ import annotations

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from models.settings import Settings


def as_environment(settings: Settings) -> dict[str, str]:
    """Write every setting that is set as the variable it is read from."""
    return _variables(settings)


def _variables(settings: BaseSettings) -> dict[str, str]:
    prefix = str(settings.model_config.get("env_prefix", ""))
    written: dict[str, str] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseSettings):
            written |= _variables(value)
        elif isinstance(value, SecretStr):
            written[f"{prefix}{name.upper()}"] = value.get_secret_value()
        elif value is not None:
            written[f"{prefix}{name.upper()}"] = str(value)
    return written
