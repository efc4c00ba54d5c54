"""The structure of the resources in docs/cluster/kubernetes.md, as JSON schemas: only what is used there is allowed.

Of DaskCluster it is that of the operator's `customresources/templates.yaml` (dask/dask-kubernetes): `scheduler` with
`spec` and `service`, `worker` with `spec` and `replicas`, both needed. The rest is Kubernetes' own reference: core/v1
(PodSpec, ServiceSpec, Secret), batch/v1 (Job) and networking.k8s.io/v1 (NetworkPolicy).
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
NUMBER: Schema = {"type": "integer", "minimum": 0}
YES: Schema = {"type": "boolean"}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
NAME: Schema = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
QUANTITY: Schema = {"type": "string", "pattern": r"^\d+(m|Ki|Mi|Gi|Ti)?$"}


def record(*needed: str, **fields: Schema) -> Schema:
    """An object of these fields and no others; `needed` must be there."""
    return {"type": "object", "properties": fields, "required": list(needed), "additionalProperties": False}


def some(item: Schema) -> Schema:
    """A list that is not empty."""
    return {"type": "array", "items": item, "minItems": 1}


def one_of(*values: str) -> Schema:
    """One of these words."""
    return {"enum": list(values)}


def table(value: Schema) -> Schema:
    """Any names with values of this kind."""
    return {"type": "object", "additionalProperties": value, "minProperties": 1}


def resource(version: str, kind: str, **fields: Schema) -> Schema:
    """A resource of Kubernetes."""
    metadata = record("name", name=NAME, labels=table(TEXT))
    known = {"apiVersion": {"const": version}, "kind": {"const": kind}, "metadata": metadata}
    return record("apiVersion", "kind", "metadata", *fields, **known, **fields)


LABELS = record("matchLabels", matchLabels=table(TEXT))
RESOURCES = record(requests=table(QUANTITY), limits=table(QUANTITY))
CONTAINER = record(
    "name",
    "image",
    name=NAME,
    image=TEXT,
    command=some(TEXT),
    args=some(TEXT),
    ports=some(record("containerPort", name=NAME, containerPort=PORT, protocol=one_of("TCP", "UDP"))),
    env=some(record("name", "value", name=TEXT, value={"type": "string"})),
    envFrom=some(record(secretRef=record("name", name=NAME))),
    volumeMounts=some(record("name", "mountPath", name=NAME, mountPath=TEXT)),
    resources=RESOURCES,
    readinessProbe=record("tcpSocket", tcpSocket=record("port", port={"type": ["string", "integer"]})),
)
VOLUME = record(
    "name",
    name=NAME,
    emptyDir=record(sizeLimit=QUANTITY),
    persistentVolumeClaim=record("claimName", claimName=NAME),
)


def pod(restart: Schema) -> Schema:
    """The PodSpec of pods that are started again as `restart` says."""
    return record(
        "containers",
        containers=some(CONTAINER),
        volumes=some(VOLUME),
        terminationGracePeriodSeconds=NUMBER,
        restartPolicy=restart,
        securityContext=record(runAsUser=NUMBER, runAsGroup=NUMBER, fsGroup=NUMBER, runAsNonRoot=YES),
    )


POD = pod(one_of("Always", "OnFailure", "Never"))
SERVICE = record(
    "selector",
    "ports",
    type=one_of("ClusterIP", "NodePort", "LoadBalancer"),
    selector=table(TEXT),
    ports=some(
        record("port", name=NAME, port=PORT, protocol=one_of("TCP", "UDP"), targetPort={"type": ["string", "integer"]})
    ),
)
RULE = record(
    "action",
    action=one_of("FailJob", "Ignore", "Count", "FailIndex"),
    onExitCodes=record("operator", "values", containerName=NAME, operator=one_of("In", "NotIn"), values=some(NUMBER)),
    onPodConditions=some(record("type", type=TEXT, status=TEXT)),
)
TEMPLATE = record(
    "spec", metadata=record(labels=table(TEXT)), spec=pod({"const": "Never"})
)  # podFailurePolicy wants it
PEER = record(podSelector=LABELS, namespaceSelector=LABELS)

SCHEMAS: dict[str, Schema] = {
    "Secret": resource("v1", "Secret", type=TEXT, stringData=table(TEXT)),
    "DaskCluster": resource(
        "kubernetes.dask.org/v1",
        "DaskCluster",
        spec=record(
            "scheduler",
            "worker",
            idleTimeout=NUMBER,
            scheduler=record("spec", "service", spec=POD, service=SERVICE),
            worker=record("spec", spec=POD, replicas=NUMBER),
        ),
    ),
    "Job": resource(
        "batch/v1",
        "Job",
        spec=record(
            "template", template=TEMPLATE, backoffLimit=NUMBER, podFailurePolicy=record("rules", rules=some(RULE))
        ),
    ),
    "NetworkPolicy": resource(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        spec=record(
            "podSelector",
            podSelector=LABELS,
            policyTypes=some(one_of("Ingress", "Egress")),
            ingress=some(record("from", **{"from": some(PEER)})),
        ),
    ),
}
