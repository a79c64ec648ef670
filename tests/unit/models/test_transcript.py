from __future__ import annotations

import pytest
from pydantic import ValidationError

from models.transcript import Segment


def test_a_record_that_does_not_fit_shows_nothing_of_what_was_said() -> None:
    said = {"start": 1.0, "end": "marked", "text": "marked", "marked": "marked"}
    with pytest.raises(ValidationError) as caught:
        Segment.model_validate(said | {"text": ["marked"]})
    assert "input_value" not in str(caught.value)
    assert "'marked'" not in str(caught.value)
