"""Schemas of the custom resources: the fields that the manifests here use, with the types that their add-ons define.

kubernetes-validate has Kubernetes' own schemas, but not the add-ons'. `validate` refuses a field that is not listed
here, as the API server refuses a field that the add-on does not have.
"""

from functools import cache
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator

VERSIONS = ("1.30", "1.32", "1.34", "1.36", "1.37")
"""The first has the preStop sleep on by default."""

IMAGE_VOLUMES = "1.31"
"""The first release with image volumes in its schema."""

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"type": "array", "items": TEXT}
COUNT: Schema = {"type": "integer", "minimum": 0}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
DURATION: Schema = {"type": "string", "pattern": r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"}


def fields(*required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def each(item: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": item}


def of(*values: str) -> Schema:
    return {"enum": values}


PERIOD: Schema = {"type": "string", "pattern": r"^([0-9]+(ms|[smhdwy]))+$"}
"""A duration as Prometheus writes it."""
LABELS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}

TRIGGER = fields(
    "type",
    "metadata",
    type=of("prometheus", "cpu"),
    name=TEXT,
    metricType=of("AverageValue", "Value", "Utilization"),
    # KEDA reads numbers and booleans from strings, and refuses them as numbers and booleans.
    metadata={"type": "object", "additionalProperties": TEXT},
)
SCALED_OBJECT = fields(
    "scaleTargetRef",
    "triggers",
    scaleTargetRef=fields("name", name=TEXT),
    minReplicaCount=COUNT,
    maxReplicaCount=COUNT,
    pollingInterval=COUNT,
    triggers=each(TRIGGER),
)
LISTENER = fields(
    "name",
    "port",
    "protocol",
    name=TEXT,
    port=PORT,
    protocol=of("HTTP", "HTTPS"),
    hostname=TEXT,
    tls=fields(mode=of("Terminate"), certificateRefs=each(fields("name", name=TEXT))),
    allowedRoutes=fields(namespaces=fields(**{"from": of("Same", "All", "Selector")})),
)
GATEWAY = fields("gatewayClassName", "listeners", gatewayClassName=TEXT, listeners=each(LISTENER))
RULE = fields(
    matches=each(fields(path=fields(type=of("Exact", "PathPrefix"), value={"type": "string", "pattern": "^/"}))),
    timeouts=fields(request=DURATION, backendRequest=DURATION),
    filters=each(
        fields(
            "type",
            type=of("RequestRedirect"),
            requestRedirect=fields(scheme=of("http", "https"), statusCode={"enum": [301, 302]}),
        )
    ),
    backendRefs=each(fields("name", name=TEXT, port=PORT, weight=COUNT)),
)
HTTP_ROUTE = fields(parentRefs=each(fields("name", name=TEXT, sectionName=TEXT)), hostnames=TEXTS, rules=each(RULE))
TRAIN_JOB = fields(
    "runtimeRef",
    runtimeRef=fields("name", apiGroup=TEXT, kind=of("TrainingRuntime", "ClusterTrainingRuntime"), name=TEXT),
    trainer=fields(args=TEXTS, command=TEXTS, image=TEXT),
)
REPLICATED_JOB = fields("name", "template", name=TEXT, template={"type": "object"})  # a Job, and checked as a Job
TRAINING_RUNTIME = fields(
    "template",
    mlPolicy=fields(numNodes=COUNT),
    template=fields(spec=fields(replicatedJobs=each(REPLICATED_JOB))),
)
ENDPOINT = fields("port", port=TEXT, path={"type": "string", "pattern": "^/"}, interval=PERIOD, scrapeTimeout=PERIOD)
POD_MONITOR = fields(
    "selector",
    "podMetricsEndpoints",
    jobLabel=TEXT,
    selector=fields(matchLabels=LABELS),
    podMetricsEndpoints=each(ENDPOINT),
)
RECORDED = fields("record", "expr", record=TEXT, expr=TEXT)
ALERT = fields("alert", "expr", **{"for": PERIOD}, alert=TEXT, expr=TEXT, labels=LABELS, annotations=LABELS)
PROMETHEUS_RULE = fields(
    "groups", groups=each(fields("name", "rules", name=TEXT, rules=each({"oneOf": [RECORDED, ALERT]})))
)

MODEL_FORMAT = fields("name", name=TEXT, version=TEXT, autoSelect={"type": "boolean"})
SERVING_RUNTIME = fields(
    "containers",  # those of a pod, and checked as a pod's
    supportedModelFormats=each(MODEL_FORMAT),
    protocolVersions=TEXTS,
    annotations=LABELS,
    containers={"type": "array"},
    volumes={"type": "array"},
)
PREDICTED = fields("modelFormat", modelFormat=MODEL_FORMAT, protocolVersion=TEXT, runtime=TEXT, storageUri=TEXT)
INFERENCE_SERVICE = fields(
    "predictor",
    predictor=fields(
        minReplicas=COUNT,
        maxReplicas=COUNT,
        automountServiceAccountToken={"type": "boolean"},
        enableServiceLinks={"type": "boolean"},
        terminationGracePeriodSeconds=COUNT,
        model=PREDICTED,
    ),
)

CUSTOM = {
    ("serving.kserve.io/v1alpha1", "ServingRuntime"): SERVING_RUNTIME,
    ("serving.kserve.io/v1beta1", "InferenceService"): INFERENCE_SERVICE,
    ("keda.sh/v1alpha1", "ScaledObject"): SCALED_OBJECT,
    ("gateway.networking.k8s.io/v1", "Gateway"): GATEWAY,
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): HTTP_ROUTE,
    ("monitoring.coreos.com/v1", "PodMonitor"): POD_MONITOR,
    ("monitoring.coreos.com/v1", "PrometheusRule"): PROMETHEUS_RULE,
    ("trainer.kubeflow.org/v1alpha1", "TrainJob"): TRAIN_JOB,
    ("trainer.kubeflow.org/v1alpha1", "TrainingRuntime"): TRAINING_RUNTIME,
}


def validate(manifest: dict[str, Any], version: str) -> None:
    """Check a manifest as the API server of that version does. Raises if a field is unknown or a value wrong."""
    _validate(yaml.safe_dump(manifest), version)


@cache
def _validate(text: str, version: str) -> None:
    """Components and overlays share most manifests, so each is checked once."""
    manifest = yaml.safe_load(text)
    custom = CUSTOM.get((manifest["apiVersion"], manifest["kind"]))
    if custom is None:
        kubernetes_validate.validate(manifest, version, strict=True)
        return
    Draft202012Validator(custom).validate(manifest["spec"])
    if manifest["kind"] == "TrainingRuntime":
        for job in manifest["spec"]["template"]["spec"]["replicatedJobs"]:
            template = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": job["name"]}, **job["template"]}
            template["metadata"] = {"name": job["name"], **job["template"]["metadata"]}
            kubernetes_validate.validate(template, version, strict=True)
    if manifest["kind"] == "ServingRuntime":
        spec = {name: manifest["spec"][name] for name in ("containers", "volumes")}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": manifest["metadata"], "spec": spec}
        kubernetes_validate.validate(pod, version, strict=True)
