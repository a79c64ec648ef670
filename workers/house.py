"""What the workers that read reports have at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ingest.installed import InstalledNormaliser
from ingest.settle import Normaliser
from models.settings import Settings
from workers.nursery import Nursery
from workers.stores import Stores, open_stores


@dataclass(frozen=True)
class House(Stores):
    """The stores of one installation, the normaliser with its lexicons, and who decodes."""

    normaliser: Normaliser
    nursery: Nursery


def open_house(settings: Settings) -> House:
    """Open everything for one process."""
    stores = open_stores(settings)
    normaliser = InstalledNormaliser(stores.engine)
    return House(
        **vars(stores), normaliser=partial(normaliser.at, stores.engine), nursery=Nursery()
    )
