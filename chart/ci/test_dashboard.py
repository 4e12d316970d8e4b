"""The dashboard is complete, and its expressions can be evaluated. e2e/kubernetes runs them on real metrics."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import metrics
import pytest
import yaml
from promtool import promtool
from rendering import CHART

DASHBOARD: Any = json.loads((CHART / "files" / "dashboard.json").read_text())
PANELS: list[Any] = DASHBOARD["panels"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
WIDTH = 24  # of Grafana's grid
UNITS = {"short", "reqps", "ops", "percentunit", "s"}
panels = pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])


def cells(panel: Any) -> set[tuple[int, int]]:
    place = panel["gridPos"]
    columns = range(place["x"], place["x"] + place["w"])
    return set(itertools.product(columns, range(place["y"], place["y"] + place["h"])))


def test_no_panel_overlaps_another() -> None:
    for one, other in itertools.combinations(PANELS, 2):
        assert not cells(one) & cells(other), (one["title"], other["title"])


def test_the_panels_fill_one_screen() -> None:
    covered = set().union(*map(cells, PANELS))
    height = max(y for _, y in covered) + 1
    assert covered == set(itertools.product(range(WIDTH), range(height)))
    assert height <= 28


def test_ids_and_titles_are_unique() -> None:
    for key in ("id", "title"):
        assert len({panel[key] for panel in PANELS}) == len(PANELS)


def test_the_top_row_says_whether_all_is_well() -> None:
    for panel in PANELS:
        top = panel["gridPos"]["y"] == 0
        assert (panel["type"] == "stat") == top
        if top and panel["title"] != "Requests":
            assert len(panel["fieldConfig"]["defaults"]["thresholds"]["steps"]) > 1


@panels
def test_a_panel_says_what_it_shows(panel: Any) -> None:
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert panel["description"].endswith(".")
    assert all(target["legendFormat"] for target in panel["targets"])
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@panels
def test_a_panel_asks_the_chosen_data_source_about_the_chosen_release(panel: Any) -> None:
    for part in (panel, *panel["targets"]):
        assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for target in panel["targets"]:
        selectors = re.findall(r"\{([^}]*)\}", target["expr"])
        assert selectors
        assert all('namespace="$namespace"' in text and "$instance" in text for text in selectors)


def test_everything_in_it_is_filled_in_by_grafana_itself() -> None:
    """Grafana's sidecar loads files as they are: it does not ask for __inputs."""
    assert not {"__inputs", "__requires"} & set(DASHBOARD)
    variables = [variable["name"] for variable in DASHBOARD["templating"]["list"]]
    assert variables == ["datasource", "namespace", "instance"]
    used = set(re.findall(r"\$\{?([a-z_]+)", json.dumps(DASHBOARD)))
    assert used == {*variables, "__rate_interval"}


def test_its_series_exist() -> None:
    queries = [v["definition"] for v in DASHBOARD["templating"]["list"] if v["type"] == "query"]
    used = {name for expression in EXPRESSIONS for name in metrics.names(expression)}
    assert used <= metrics.KNOWN
    assert all("tasklists_build_info" in query for query in queries)


def test_its_expressions_can_be_parsed(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(EXPRESSIONS)
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", file)


def test_health_checks_are_left_out_of_requests() -> None:
    for expression in EXPRESSIONS:
        for selector in re.findall(
            r"http_server_request_duration_seconds_\w+\{([^}]*)\}", expression
        ):
            assert 'http_route!~"/health/.*"' in selector
