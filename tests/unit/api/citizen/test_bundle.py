"""Joining modules: each once, what is needed first, and nothing passed over in silence."""

from __future__ import annotations

import pytest

from api.citizen import bundle, words

MODULES = {
    "page": 'import { $, one } from "./low.js";\nimport * as far from "./far.js";\n$(one, far);',
    "low": "export const $ = (x) => x;\nexport let one = 1;\nconst own = 2;",
    "far": 'import { one } from "./low.js";\nexport async function two() {}\nexport class Three {}',
    "alone": "export const never = 1;",
}


def test_what_is_needed_comes_first_and_once() -> None:
    joined = bundle.join(MODULES, "page")
    places = [joined.index(f"const ${name} =") for name in ("low", "far", "page")]
    assert places == sorted(places)
    assert joined.count("const $low =") == 1
    assert "alone" not in joined and "never" not in joined


def test_what_a_module_exports_is_read_when_it_is_used() -> None:
    joined = bundle.join(MODULES, "page")
    assert "get $() { return $; }, get one() { return one; }" in joined
    assert "get two() { return two; }, get Three() { return Three; }" in joined
    assert "const { $, one } = $low;" in joined and "const far = $far;" in joined


def test_a_name_may_be_another_one_here() -> None:
    page = 'import { one as other } from "./low.js";'
    assert "const { one: other } = $low;" in bundle.join(MODULES | {"page": page}, "page")


@pytest.mark.parametrize(
    "line",
    [
        'import other from "./low.js";',
        'import "./low.js";',
        "export default 1;",
        'export { one } from "./low.js";',
        "export const { a, b } = c;",
        'import { one } from "https://elsewhere.example/low.js";',
    ],
)
def test_a_form_that_is_not_known_stops_the_start(line: str) -> None:
    with pytest.raises(ValueError, match="cannot be joined"):
        bundle.join(MODULES | {"page": line}, "page")


def test_modules_in_a_circle_stop_the_start() -> None:
    circle = {
        "a": 'import { b } from "./b.js";\nexport const a = 1;',
        "b": 'import { a } from "./a.js";\nexport const b = 1;',
    }
    with pytest.raises(ValueError, match="itself"):
        bundle.join(circle, "a")


@pytest.mark.parametrize("entry", ["app", "lookup"])
def test_our_own_pages_can_be_joined(entry: str) -> None:
    folder = words.DOOR / "static"
    sources = {path.stem: path.read_text("utf-8") for path in folder.glob("*.js")}
    joined = bundle.join(sources, entry)
    assert "\nimport {" not in joined and "\nexport " not in joined
    assert 'import("./photos.js")' in joined
