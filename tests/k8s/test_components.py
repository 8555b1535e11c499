"""What each component changes in the base."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from starlette.testclient import TestClient

from service.app import create_app
from service.bento import Faussaire
from service.settings import ROOT, Settings
from service.telemetry.metrics import scrape
from tests.conftest import program
from tests.k8s.conftest import K8S, Manifest, compose, environment, mounts, one, only_container, quantity, render
from tests.k8s.schemas import validate

NAMESPACE = "faussaire"


def triggers() -> dict[str, Manifest]:
    scaled = one(compose("autoscale"), "ScaledObject")["spec"]
    return {trigger.get("name", trigger["type"]): trigger for trigger in scaled["triggers"]}


def test_the_queue_scales_instead_of_the_cpu_alone() -> None:
    manifests = compose("autoscale")
    assert not [each for each in manifests if each["kind"] == "HorizontalPodAutoscaler"]
    assert triggers().keys() == {"queue-rows", "queue-seconds", "cpu"}
    before = one(render(K8S / "base"), "HorizontalPodAutoscaler")["spec"]
    scaled = one(manifests, "ScaledObject")["spec"]
    (metric,) = before["metrics"]
    assert triggers()["cpu"]["metadata"]["value"] == metric["resource"]["target"]["averageValue"]
    assert scaled["minReplicaCount"] >= before["minReplicas"]
    assert scaled["maxReplicaCount"] >= before["maxReplicas"]


def test_keda_asks_prometheus_for_metrics_that_the_service_has() -> None:
    measured = set(re.findall(r"^# TYPE (\S+)", scrape().decode(), re.MULTILINE))
    asked = {
        name.removesuffix("_bucket")
        for trigger in triggers().values()
        for name in re.findall(r"faussaire_\w+", trigger["metadata"].get("query", ""))
    }
    assert asked == {"faussaire_queue_rows", "faussaire_queue_seconds"} & measured


def test_keda_asks_prometheus_for_the_namespace_of_production() -> None:
    namespace = one(compose("namespace"), "Namespace", NAMESPACE)
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name in ("queue-rows", "queue-seconds"):
        assert set(re.findall(r'namespace="([^"]*)"', triggers()[name]["metadata"]["query"])) == {NAMESPACE}


def test_replicas_are_added_long_before_one_refuses() -> None:
    rows = float(triggers()["queue-rows"]["metadata"]["threshold"])
    assert rows <= Settings.model_fields["max_queue_rows"].default / 4


WAITED = 'faussaire_queue_seconds_bucket{namespace="faussaire",pod="a",le="%s"}'
QUEUE = 'faussaire_queue_rows{namespace="%s",pod="%s",model="m"}'


@pytest.mark.parametrize(
    ("trigger", "series", "expected"),
    [
        ("queue-rows", {QUEUE % ("faussaire", "a"): "700x9", QUEUE % ("faussaire", "b"): "800x9"}, 1500),
        ("queue-rows", {QUEUE % ("faussaire", "a"): "700x9", QUEUE % ("other", "b"): "800x9"}, 700),
        ("queue-seconds", {WAITED % "0.1": "0+90x9", WAITED % "0.3": "0+100x9", WAITED % "+Inf": "0+100x9"}, 0.1),
        ("queue-seconds", {WAITED % "0.1": "0+80x9", WAITED % "0.3": "0+100x9", WAITED % "+Inf": "0+100x9"}, 0.2),
        ("queue-seconds", {WAITED % "0.1": "90x9", WAITED % "+Inf": "100x9"}, 0),  # no requests
        ("queue-seconds", {}, 0),
    ],
)
def test_prometheus_answers_with_what_keda_compares(
    trigger: str, series: dict[str, str], expected: float, tmp_path: Path
) -> None:
    """promtool evaluates the query."""
    query = triggers()[trigger]["metadata"]["query"]
    test = {
        "interval": "30s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": f"round({query}, 0.001)", "eval_time": "4m", "exp_samples": [{"labels": "{}", "value": expected}]}
        ],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}))
    command = [program("promtool"), "test", "rules", str(tmp_path / "test.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_gateway_forwards_https_and_redirects_http_to_it() -> None:
    manifests = compose("gateway")
    listeners = {each["name"]: each for each in one(manifests, "Gateway")["spec"]["listeners"]}
    route, redirect = one(manifests, "HTTPRoute")["spec"], one(manifests, "HTTPRoute", "faussaire-redirect")["spec"]
    assert [each["sectionName"] for each in route["parentRefs"]] == ["https"]
    assert [each["sectionName"] for each in redirect["parentRefs"]] == ["http"]
    assert listeners["https"]["tls"]["mode"] == "Terminate"
    assert "tls" not in listeners["http"]
    assert listeners["http"]["hostname"] == listeners["https"]["hostname"]
    (rule,) = redirect["rules"]
    assert "backendRefs" not in rule
    assert rule["filters"][0]["requestRedirect"]["scheme"] == "https"


def test_a_gateway_forwards_to_a_port_of_the_service() -> None:
    manifests = compose("gateway")
    for rule in one(manifests, "HTTPRoute")["spec"]["rules"]:
        (backend,) = rule["backendRefs"]
        ports = one(manifests, "Service", backend["name"])["spec"]["ports"]
        assert backend["port"] in {port["port"] for port in ports}


def rule_for(path: str) -> Manifest | None:
    """Return the route's rule for a path by Gateway API's precedence: an exact match, then the longest prefix."""
    found: list[tuple[tuple[bool, int], Manifest]] = []
    for rule in one(compose("gateway"), "HTTPRoute")["spec"]["rules"]:
        for match in (each["path"] for each in rule["matches"]):
            value = match["value"]
            exact, below = path == value, path.startswith(value.rstrip("/") + "/")
            if exact or (below and match["type"] == "PathPrefix"):
                found.append(((match["type"] == "Exact", len(value)), rule))
    return max(found, key=lambda each: each[0])[1] if found else None


def test_a_gateway_forwards_the_paths_of_clients_and_not_of_the_cluster(tmp_path: Path) -> None:
    operations = create_app(Settings(models_dir=tmp_path)).operations
    paths = [one.path for one in operations if one.path not in {"/metrics", "/livez", "/readyz"}]
    assert {"/v1/images", "/v2/models/{name}/infer", "/openapi-3.0.json"} <= set(paths)
    linked = [re.findall(r'(?:src|href)="(\w[^"]+)"', fetch_page(page)) for page in ("/", "/docs")]
    pages = [f"/{file}" for files in linked for file in files]
    assert len(pages) >= 6  # scripts, styles and pictures
    assert all(rule_for(path) for path in (*paths, *pages))
    assert not any(rule_for(path) for path in ("/metrics", "/livez", "/readyz", "/schema.json"))


def fetch_page(path: str) -> str:
    with TestClient(create_app(Settings())) as client:
        return str(client.get(path).text)


def test_a_gateway_waits_like_the_service_and_for_data_sets_without_limit() -> None:
    images, datasets = rule_for("/v1/images"), rule_for("/v1/datasets")
    assert images is not None
    assert datasets is not None
    traffic = Faussaire.config["traffic"]  # type: ignore[attr-defined]
    assert images["timeouts"] == {"request": f"{traffic['timeout']}s"}
    assert datasets["timeouts"] == {"request": "0s"}


def test_a_pod_gets_one_gpu_and_a_rollout_needs_no_spare_gpu() -> None:
    deployment = one(compose("gpu"), "Deployment")["spec"]
    container = only_container(deployment)
    resources = container["resources"]
    assert resources["requests"]["nvidia.com/gpu"] == resources["limits"]["nvidia.com/gpu"] == 1
    pod = deployment["template"]["spec"]
    assert pod["runtimeClassName"] == "nvidia"
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["tolerations"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert container["image"] == "faussaire:gpu"
    base = only_container(one(render(K8S / "base"), "Deployment"))
    assert environment(container)["FAUSSAIRE_DEVICE"] == "cuda"
    assert quantity(resources["limits"]["memory"]) > quantity(base["resources"]["limits"]["memory"])


def test_keys_are_read_from_a_secret_that_may_change() -> None:
    container = only_container(one(compose("keys"), "Deployment"))
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "keys"]
    assert mount == {"name": "keys", "mountPath": "/keys", "readOnly": True}  # a `subPath` would not follow the Secret
    assert environment(container)["FAUSSAIRE_KEYS_FILE"] == "/keys/keys.json"


def test_trusted_keys_are_public_and_read_from_a_folder() -> None:
    deployment = one(compose("signed"), "Deployment")
    container = only_container(deployment)
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "trusted"]
    (volume,) = [each for each in deployment["spec"]["template"]["spec"]["volumes"] if each["name"] == "trusted"]
    assert mount["readOnly"] is True
    assert volume["configMap"] == {"name": "faussaire-trusted"}
    assert environment(container)["FAUSSAIRE_TRUSTED_KEYS"] == mount["mountPath"]


@pytest.mark.parametrize("component", ["models-volume", "models-image"])
def test_models_are_read_from_a_read_only_mount(component: str) -> None:
    container = only_container(one(compose(component), "Deployment"))
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "models"]
    assert mount["readOnly"] is True
    assert environment(container)["FAUSSAIRE_MODELS_DIR"] == mount["mountPath"]


def test_the_service_follows_models_of_a_volume() -> None:
    assert "FAUSSAIRE_WATCH_SECONDS" not in environment(only_container(one(compose("models-volume"), "Deployment")))
    assert Settings.model_fields["watch_seconds"].default > 0


@pytest.fixture
def seeding() -> Manifest:
    (container,) = one(compose("models-volume"), "Deployment")["spec"]["template"]["spec"]["initContainers"]
    manifest: Manifest = container
    return manifest


def test_the_served_image_fills_a_volume(seeding: Manifest) -> None:
    assert seeding["image"] == only_container(one(compose("models-volume"), "Deployment"))["image"]
    assert environment(seeding)["FAUSSAIRE_MODELS_DIR"] == mounts(seeding)["models"]
    bento = yaml.safe_load((ROOT / "bentofile.yaml").read_text())
    assert "models/*.onnx" in bento["include"]  # in $BENTO_PATH/src of the image
    gpu = one(compose("models-volume", "gpu"), "Deployment")["spec"]["template"]["spec"]
    assert {each["image"] for each in (*gpu["initContainers"], *gpu["containers"])} == {"faussaire:gpu"}


def fill(seeding: Manifest, tmp_path: Path, *present: str) -> set[str]:
    """Run the init container on a volume with the files `present`; return the models that the volume then has."""
    shipped, volume = tmp_path / "bento" / "src" / "models", tmp_path / "volume"
    for folder in (shipped, volume):
        folder.mkdir(parents=True, exist_ok=True)
    for name in ("a.onnx", "a.recogniser.onnx", "b.onnx", "b.recogniser.onnx"):
        (shipped / name).write_text("shipped")
    for name in present:
        (volume / name).write_text("trained")
    environment = {
        "PATH": os.environ["PATH"],
        "BENTO_PATH": str(tmp_path / "bento"),
        "FAUSSAIRE_MODELS_DIR": str(volume),
    }
    done = subprocess.run(seeding["command"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    files = {path.name: path.read_text() for path in volume.glob("*.onnx")}
    assert {name for name, content in files.items() if content == "trained"} == set(present)
    assert all(name.startswith((".seeded", *files)) for name in (path.name for path in volume.iterdir()))
    return set(files)


def test_a_new_volume_gets_the_models_of_the_image(seeding: Manifest, tmp_path: Path) -> None:
    assert fill(seeding, tmp_path) == {"a.onnx", "a.recogniser.onnx", "b.onnx", "b.recogniser.onnx"}


@pytest.mark.parametrize("published", ["b.onnx", "b@0123456789ab.onnx"])
def test_a_model_that_training_published_first_stays(seeding: Manifest, tmp_path: Path, published: str) -> None:
    assert fill(seeding, tmp_path, published) == {"a.onnx", "a.recogniser.onnx", published}


def test_a_removed_model_does_not_come_back(seeding: Manifest, tmp_path: Path) -> None:
    fill(seeding, tmp_path)
    for name in ("a.onnx", "a.recogniser.onnx"):
        (tmp_path / "volume" / name).unlink()
    assert fill(seeding, tmp_path) == {"b.onnx", "b.recogniser.onnx"}


def test_the_schemas_refuse_fields_that_an_add_on_lacks() -> None:
    scaled = one(compose("autoscale"), "ScaledObject")
    validate(scaled, "1.34")
    with pytest.raises(Exception, match="minReplicas"):
        validate({**scaled, "spec": {**scaled["spec"], "minReplicas": 2}}, "1.34")
    trigger = {"type": "cpu", "metadata": {"value": 70}}
    with pytest.raises(Exception, match="is not of type 'string'"):
        validate({**scaled, "spec": {**scaled["spec"], "triggers": [trigger]}}, "1.34")
