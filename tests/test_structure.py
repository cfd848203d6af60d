"""Import rules that import-linter cannot check: cycles between modules, and names of higher apps in strings."""

import re
from pathlib import Path

import grimp
from django.conf import settings
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

APPS = ("annotation", "inference", "training", "iqs_site")  # each imports only those before it
ROOT = Path(settings.BASE_DIR)


def test_no_modules_import_each_other_in_a_cycle() -> None:
    """Imports inside functions count too."""
    graph = grimp.build_graph(*APPS, cache_dir=None)
    modules = sorted(graph.modules)
    number = {module: index for index, module in enumerate(modules)}
    edges = [
        (number[module], number[imported])
        for module in modules
        for imported in graph.find_modules_directly_imported_by(module)
    ]
    assert len(edges) > 500
    rows, columns = zip(*edges, strict=True)
    matrix = csr_array(([1] * len(edges), (rows, columns)), shape=(len(modules), len(modules)))
    count, component = connected_components(matrix, directed=True, connection="strong")
    cycles = [[name for name, one in zip(modules, component, strict=True) if one == c] for c in range(count)]
    assert [cycle for cycle in cycles if len(cycle) > 1] == []


def test_no_app_names_a_module_of_a_higher_app() -> None:
    found = []
    for position, app in enumerate(APPS):
        above = "|".join(APPS[position + 1 :])
        if not above:
            continue
        for path in (ROOT / app).rglob("*.py"):
            for line in path.read_text().splitlines():
                if re.search(rf"[\"'`]({above})\.[a-z_]+", line):
                    found.append(f"{path.relative_to(ROOT)}: {line.strip()}")
    assert found == []
