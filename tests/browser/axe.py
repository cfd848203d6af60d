"""axe-core on a page of the browser tests: what it finds wrong for people with a keyboard or a screen reader."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe

# Rules of WCAG 2.2 up to level AA, and axe's own best practices.
_OPTIONS: dict[str, Any] = {"resultTypes": ["violations"]}


def axe_findings(page: Any) -> list[str]:
    """Return one line for each element that breaks a rule."""
    results = Axe().run(page, options=_OPTIONS)
    return [
        f"{rule['id']}: {node['html'][:120]} ({node['failureSummary'][:160]})"
        for rule in results.response["violations"]
        for node in rule["nodes"]
    ]
