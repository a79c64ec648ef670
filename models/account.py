"""Staff: who they are, what they may do and where."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from models.columns import UtcDateTime, enum_column, now, uuid7


class Role(StrEnum):
    """What an account's holder does all day."""

    LISTENER = "listener"
    INSPECTOR = "inspector"
    LEAD = "lead"
    OVERSEER = "overseer"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """Acts that no role includes by itself; each is granted to a person and each use recorded."""

    IDENTITY = "identity"
    ORIGINALS = "originals"
    EXPORT = "export"


class Account(SQLModel, table=True):
    """One member of staff. division : GB/T 2260; sees that subtree and nothing else."""

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    username: str = Field(unique=True, index=True)
    name: str = ""
    password_hash: str = ""
    role: Role = Field(sa_column=enum_column(Role))
    division: str
    unit_code: str | None = Field(default=None, description="the body whose staff they are")
    rounds: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    languages: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    permissions: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    totp_sealed: bytes | None = None
    totp_last: int = Field(default=0, description="last time step used, so a code works once")
    oidc_subject: str | None = Field(default=None, unique=True)
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    disabled: bool = False
    session_epoch: int = Field(default=0, description="raised to end all sessions of the account")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)

    def may(self, permission: Permission) -> bool:
        """Tell whether the act was granted to this person."""
        return permission.value in self.permissions


class Token(SQLModel, table=True):
    """A bearer token for programs; acts with its account's role and jurisdiction."""

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    digest: str = Field(unique=True, description="keyed hash; the token itself is shown once")
    name: str = ""
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
