"""The dashboard, the rules, and their queries."""

import json
import re
from typing import Any

from monitoring.rules import COMPONENT, rules

Panel = dict[str, Any]
DASHBOARD: dict[str, Any] = json.loads((COMPONENT / "dashboard.json").read_text(encoding="utf-8"))
PANELS: list[Panel] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = [rule for group in rules()["groups"] for rule in group["rules"] if "alert" in rule]
RECORDS = {rule["record"]: rule["expr"] for group in rules()["groups"] for rule in group["rules"] if "record" in rule}

METRIC = re.compile(r"(?<![\w:])(up|faussaire_\w+)(?:\{([^}]*)\})?")


def queries() -> list[str]:
    """Return all queries of the dashboard and the rules."""
    drawn = [target["expr"] for panel in PANELS for target in panel["targets"]]
    drawn += [annotation["expr"] for annotation in DASHBOARD["annotations"]["list"]]
    return drawn + [rule["expr"] for rule in ALERTS] + list(RECORDS.values())


def metrics_of(query: str) -> list[tuple[str, set[str]]]:
    """Return each metric that a query names, with the labels that it selects by."""
    return [(name, set(re.findall(r"(\w+)\s*[=!]~?", labels))) for name, labels in METRIC.findall(query)]
