from pathlib import Path

import numpy as np
import pytest

from ingest.normalise import labelled, lexicon, model, train
from ingest.normalise.model import pieces
from models.errors import Invalid
from tests.unit.ingest.normalise.conftest import SAMPLES


def test_the_shipped_model_knows_every_code() -> None:
    shipped, words = model.load(), lexicon.matters()
    assert shipped.domain.codes == tuple(words.domain)
    assert shipped.conduct.codes == tuple(words.conduct)


def test_the_shipped_model_was_trained_from_the_samples() -> None:
    complaints = train.examples(labelled.read_training(SAMPLES))
    phrases = train.read_phrases(SAMPLES / "phrases.tsv")
    assert model.load().version == train.version((*complaints, *phrases))


def test_no_piece_reaches_across_what_is_no_letter() -> None:
    found = set(pieces("村支书，3个ab老师"))
    assert {"w支书", "w老师", "c村", "cab", "c个a", "sge'lao"} & found == {
        "w老师",
        "c村",
        "cab",
        "c个a",
    }
    assert not any("书个" in piece or "," in piece or "3" in piece for piece in found)


def test_characters_that_sound_alike_share_pieces_of_sound() -> None:
    one, other = ({piece for piece in pieces(t) if piece[0] == "s"} for t in ("石桥", "十乔"))
    assert one == other != set()


def test_a_model_is_trained_kept_and_read_again(tmp_path: Path) -> None:
    words = {
        "medical": "医院的医生看病住院",
        "works": "修路的水泥路面桥",
        "labour": "工资工钱老板欠薪",
    }
    kinds = {"medical": "bribery", "works": "quality", "labour": "dereliction"}
    complaints = [
        train.Example(text=f"{text}{end}", domain=code, conduct=kinds[code])
        for code, text in words.items()
        for end in ("了", "的", "吗", "呢", "吧", "啊")
    ]
    fitted = train.train(complaints)
    assert fitted.accuracy["domain"] == 1
    path = tmp_path / "model.npz"
    model.save(fitted.model, path)
    kept = model.read(path.read_bytes())
    features = kept.vocabulary.features("工钱没给")
    empty = np.zeros(len(kept.domain.codes), dtype=np.float32)
    probabilities = kept.domain.probabilities(features, empty)
    assert kept.domain.codes[int(probabilities.argmax())] == "labour"
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_a_phrase_with_an_unknown_code_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "phrases.tsv"
    path.write_text(
        "domain\tconduct\ttext\nmedical\tquality\t药过期\nweather\tquality\t雨\n", "utf-8"
    )
    with pytest.raises(Invalid, match="line 3"):
        train.read_phrases(path)
