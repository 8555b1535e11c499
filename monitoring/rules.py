"""The rules of k8s/components/monitoring in Prometheus' own form: `python -m monitoring.rules > rules.yaml`."""

from pathlib import Path
from typing import Any

import yaml

COMPONENT = Path(__file__).parents[1] / "k8s" / "components" / "monitoring"


def rules() -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load((COMPONENT / "prometheusrule.yaml").read_text(encoding="utf-8"))["spec"]
    return spec


if __name__ == "__main__":
    print(yaml.safe_dump(rules(), sort_keys=False), end="")
