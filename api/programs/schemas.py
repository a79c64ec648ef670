"""The form of the record, for whoever checks or makes one."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from api import house
from api.house import House
from api.programs import describe
from models.codes import Codes
from models.record import StandardComplaint

router = APIRouter(prefix="/v1", tags=["description"])
DIALECT = "https://json-schema.org/draft/2020-12/schema"
MEDIA_TYPE = "application/schema+json"
ADDRESS = "/v1/schemas/complaint.json"
# The same for everybody, and the same until the next release.
PUBLIC = {"Cache-Control": "public, max-age=3600"}


@lru_cache
def complaint_schema() -> dict[str, Any]:
    """Make the JSON Schema (2020-12) of the standard complaint from its model."""
    made = StandardComplaint.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": DIALECT, "$id": ADDRESS, **made}


class SchemaResponse(JSONResponse):
    """JSON that is a schema."""

    media_type = MEDIA_TYPE


@router.get(
    "/schemas/complaint.json",
    summary="The JSON Schema of the standard complaint",
    response_class=SchemaResponse,
    responses=describe.answer(
        {"$schema": DIALECT, "$id": ADDRESS, "title": "StandardComplaint"}, media_type=MEDIA_TYPE
    ),
)
def schema() -> SchemaResponse:
    """Give the schema that every record of this interface follows."""
    return SchemaResponse(complaint_schema(), headers=PUBLIC)


@router.get(
    "/codes",
    summary="The lists of domains and conducts",
    responses=describe.answer(
        {
            "version": 1,
            "domain": {"assistance": {"zh": "低保与救助", "en": "Assistance"}},
            "conduct": {"favouritism": {"zh": "优亲厚友", "en": "Favouritism"}},
        }
    ),
)
def codes(at: Annotated[House, Depends(house.of)]) -> Codes:
    """Give the codes that `domain` and `conduct` hold, with their names."""
    return at.codes
