"""Join a page's small modules into one file, so that a slow line is asked once and not ten times.

On a telephone's line every request costs a round trip, and every further connection its handshake.
The modules stay what they are for whoever reads or tests them; here each becomes a function of its
own scope. Only the forms of `import` and `export` that stand in our own files are known, and
anything else at the start of a line is an error when the process starts, not on a phone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMED = re.compile(r'^import (\{[^}]+\}) from "\./(\w+)\.js";$', re.M)
_WHOLE = re.compile(r'^import \* as (\w+) from "\./(\w+)\.js";$', re.M)
_EXPORT = re.compile(r"^export (?=(?:const|let|function|async function|class) ([\w$]+))", re.M)
_UNKNOWN = re.compile(r"^(?:import|export)\b(?!\().*$", re.M)


def join(sources: Mapping[str, str], entry: str) -> str:
    """Give one module that does what `entry` does with all that it imports.

    sources : the text of each module by its name, without `.js`
    """
    joined: dict[str, str] = {}
    _add(sources, entry, joined, ())
    return "\n".join(joined.values())


def _add(
    sources: Mapping[str, str], name: str, joined: dict[str, str], above: tuple[str, ...]
) -> None:
    if name in joined:
        return
    if name in above:
        raise ValueError(f"{name}.js imports itself by way of {' and '.join(above)}")
    text = sources[name]
    for needed in _needed(text):
        _add(sources, needed, joined, (*above, name))
    joined[name] = _scoped(name, text)


def _needed(text: str) -> list[str]:
    found = sorted([*_NAMED.finditer(text), *_WHOLE.finditer(text)], key=lambda one: one.start())
    return [one[2] for one in found]


def _scoped(name: str, text: str) -> str:
    """Make a module a function; what it exports is read when it is used, as modules have it."""
    exports: list[str] = _EXPORT.findall(text)
    text = _NAMED.sub(lambda one: f"const {one[1].replace(' as ', ': ')} = ${one[2]};", text)
    text = _WHOLE.sub(r"const \1 = $\2;", text)
    text = _EXPORT.sub("", text)
    left = _UNKNOWN.search(text)
    if left is not None:
        raise ValueError(f"{name}.js has a line that cannot be joined: {left[0]}")
    given = ", ".join(f"get {one}() {{ return {one}; }}" for one in exports)
    return f"const ${name} = (() => {{\n{text}\nreturn {{ {given} }};\n}})();"
