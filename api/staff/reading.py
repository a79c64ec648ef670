"""Reading a report again after a person mended what was said in it."""

from __future__ import annotations

import threading
from uuid import UUID

from fastapi import Request
from sqlalchemy import Engine
from sqlmodel import Session

from ingest.installed import InstalledNormaliser
from ingest.matter import Matter, Normalised
from ingest.settle import settle
from models.keys import Keys


class Reader:
    """The normaliser of this process, compiled when it is first needed."""

    def __init__(self, engine: Engine, keys: Keys) -> None:
        self._engine = engine
        self._keys = keys
        self._lock = threading.Lock()
        self._installed: InstalledNormaliser | None = None

    def warm(self) -> None:
        """Compile the lexicons, outside of any transaction."""
        with self._lock:
            if self._installed is None:
                self._installed = InstalledNormaliser(self._engine)

    def again(self, session: Session, complaint_id: UUID) -> None:
        """Fill the fields that nobody confirmed from what is said now, and route the report."""
        settle(session, self._keys, complaint_id, self._normalise, again=True)

    def _normalise(self, matter: Matter) -> Normalised:
        self.warm()
        assert self._installed is not None
        with self._lock:
            return self._installed.at(self._engine, matter)


def of(request: Request) -> Reader:
    """Give the reader of the application that answers this request."""
    reader: Reader = request.app.state.reader
    return reader
