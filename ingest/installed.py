"""The normaliser with the lexicons of this installation, renewed when its gazetteer changes."""

from __future__ import annotations

from sqlalchemy import Engine

from ingest.matter import Matter, Normalised
from ingest.normalise import Lexicons, load_lexicons, normalise
from models import gazetteer


class InstalledNormaliser:
    """Lexicons compiled before a fork, so that no child has to do it again."""

    def __init__(self, engine: Engine) -> None:
        self._version, self._lexicons = _compile(engine)

    def at(self, engine: Engine, matter: Matter) -> Normalised:
        """Normalise, after a look at whether the gazetteer in this database has changed."""
        self.renew(engine)
        return normalise(matter, self._lexicons)

    def renew(self, engine: Engine) -> None:
        """Compile again if the gazetteer has changed."""
        if gazetteer.version(engine) != self._version:
            self._version, self._lexicons = _compile(engine)


def _compile(engine: Engine) -> tuple[str, Lexicons]:
    return gazetteer.version(engine), load_lexicons(gazetteer.units(engine))
