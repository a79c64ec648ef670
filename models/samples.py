"""What the demonstration starts with: sample units, channels, and a login for each role."""

from __future__ import annotations

import secrets
import tomllib
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, select

from models import accounts, channels, gazetteer
from models.account import Account, Permission, Role
from models.channel import Channel, Unit
from models.database import writing
from models.keys import Keys

FOLDER = "complaints"
DEFAULT_CHANNEL = "default"
# A town's own body: what concerns the county itself moves up, out of the county's sight.
UNIT, DIVISION = "qx-sq-gov", "510729"
LANGUAGES = list(channels.LANGUAGES)
GRANTED = {
    Role.LEAD: (Permission.IDENTITY, Permission.ORIGINALS, Permission.EXPORT),
    Role.INSPECTOR: (Permission.ORIGINALS,),
}


def install_samples(engine: Engine, keys: Keys) -> tuple[tuple[str, str], ...]:
    """Add the samples to a database; give usernames and passwords drawn anew for this run.

    What is there already is kept, and its logins get new passwords.
    """
    folder = Path(str(files("samples").joinpath(FOLDER)))
    with writing(engine) as session:
        gazetteer.store(session, gazetteer.read(folder / "gazetteer.csv"))
        session.flush()
        for entry in tomllib.loads((folder / "channels.toml").read_text("utf-8"))["channel"]:
            _channel(session, entry["code"], entry["name"], entry["unit"], entry["jurisdiction"])
        _channel(session, DEFAULT_CHANNEL, "青溪县群众反映", UNIT, DIVISION)
    return tuple(_login(engine, keys, role) for role in Role)


def _channel(session: Session, code: str, name: str, unit: str, jurisdiction: str) -> None:
    if session.get(Channel, code) is None:
        channel = Channel(
            code=code, name=name, unit_code=unit, jurisdiction=jurisdiction, languages=LANGUAGES
        )
        inspected = session.get_one(Unit, unit)
        channel.unit_name = inspected.name
        channels.add(session, channel)


def _login(engine: Engine, keys: Keys, role: Role) -> tuple[str, str]:
    username, password = f"demo-{role.value}", secrets.token_urlsafe(9)
    with writing(engine) as session:
        there = session.exec(select(Account).where(Account.username == username)).first()
        if there is not None:
            accounts.set_password(session, keys, there, password)
        else:
            accounts.add(
                session,
                keys,
                username=username,
                password=password,
                role=role,
                division_code=DIVISION,
                name=f"演示 {role.value}",
                languages=LANGUAGES,
                permissions=GRANTED.get(role, ()),
            )
    return username, password
