"""What the workers that read reports have at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sqlalchemy.exc import OperationalError

from ingest.installed import InstalledNormaliser
from ingest.settle import Normaliser
from models.database import connect, open_database
from models.keys import Keys
from models.settings import Settings
from workers.stores import Stores, open_stores


@dataclass(frozen=True)
class House(Stores):
    """The stores of one installation, and the normaliser with its lexicons."""

    normaliser: Normaliser


@dataclass(frozen=True)
class Ground:
    """What outlives a fork: no connection, no thread."""

    settings: Settings
    keys: Keys
    normaliser: InstalledNormaliser

    def renew(self) -> None:
        """Take over a gazetteer that was imported since, leaving no connection behind."""
        engine = connect(self.settings.database)
        try:
            self.normaliser.renew(engine)
        except OperationalError:
            # The jobs will find out for themselves that the database is away.
            return
        finally:
            engine.dispose()


def lay_ground(settings: Settings) -> Ground:
    """Bring the database up to date, check that the key is its own, and let go of both."""
    engine, keys = open_database(settings)
    normaliser = InstalledNormaliser(engine)
    engine.dispose()
    return Ground(settings, keys, normaliser)


def build(ground: Ground) -> House:
    """Open the connections of one process."""
    stores = open_stores(ground.settings, ground.keys)
    return House(**vars(stores), normaliser=partial(ground.normaliser.at, stores.engine))
