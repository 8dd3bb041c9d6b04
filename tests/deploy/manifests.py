"""Validates Kubernetes manifests: every object against the schemas of several releases, unknown fields refused; that
each kustomization names every file beside it; and what the schemas cannot know: locked-down containers, selectors that
meet, claims and secrets that exist."""

import sys
from pathlib import Path

import kubernetes_validate
import yaml

RELEASES = ["1.30", "1.34", "1.37"]
root = Path(sys.argv[1])


def documents(path):
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


def resources(folder):
    """Every object of a kustomization, through those it builds upon."""
    found = []
    kustomization = documents(folder / "kustomization.yaml")[0]
    assert kustomization["kind"] == "Kustomization", folder
    for name in kustomization["resources"]:
        path = (folder / name).resolve()
        found += resources(path) if path.is_dir() else documents(path)
    beside = {p.name for p in folder.glob("*.yaml") if ".example." not in p.name} - {"kustomization.yaml"}
    assert beside <= set(kustomization["resources"]), f"{folder}: not named: {beside}"
    return found


def name_of(one):
    return f"{one['kind']}/{one['metadata']['name']}"


def check_pod(one, claims):
    name, pod = name_of(one), one["spec"]["template"]
    labels, spec = pod["metadata"]["labels"], pod["spec"]
    assert one["spec"]["selector"]["matchLabels"].items() <= labels.items(), f"{name}: selects others"
    security = spec["securityContext"]
    assert security["runAsNonRoot"] is True and security["runAsUser"] >= 10000, name
    assert security["seccompProfile"]["type"] == "RuntimeDefault", name
    assert spec["automountServiceAccountToken"] is False, name
    assert spec["terminationGracePeriodSeconds"] >= (120 if "worker" in name else 30), name
    volumes = {v["name"]: v for v in spec["volumes"]}
    volumes |= {v["metadata"]["name"]: {} for v in one["spec"].get("volumeClaimTemplates", [])}
    for volume in volumes.values():
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        assert claim is None or claim in claims, f"{name}: no claim {claim}"
    for container in spec["containers"]:
        locked = container["securityContext"]
        assert locked["allowPrivilegeEscalation"] is False and locked["readOnlyRootFilesystem"] is True, name
        assert locked["capabilities"] == {"drop": ["ALL"]}, name
        assert container["resources"]["limits"]["memory"], name
        assert {m["name"] for m in container["volumeMounts"]} <= set(volumes), name
        tokens = [e["valueFrom"]["secretKeyRef"] for e in container["env"] if e["name"] == "PHASEGRID_TOKEN"]
        assert tokens == [{"name": "phasegrid-token", "key": "token"}], name
    return labels


def check_set(folder):
    found = resources(folder)
    names = [name_of(one) for one in found]
    assert len(names) == len(set(names)), names
    assert names[0] == "Namespace/phasegrid", "the namespace has to come first"
    kinds = {}
    for one in found:
        kinds.setdefault(one["kind"], []).append(one)
        if one["kind"] != "Namespace":
            assert one["metadata"]["namespace"] == "phasegrid", name_of(one)
    claims = {one["metadata"]["name"]: one for one in kinds["PersistentVolumeClaim"]}
    assert claims["phasegrid-store"]["spec"]["accessModes"] == ["ReadWriteMany"]
    pods = [check_pod(one, claims) for one in kinds["StatefulSet"] + kinds["Deployment"]]
    selectors = [one["spec"]["selector"] for one in kinds["Service"]]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in kinds["PodDisruptionBudget"]]
    selectors += [one["spec"]["podSelector"]["matchLabels"] for one in kinds["NetworkPolicy"]]
    for selector in selectors:
        assert any(selector.items() <= labels.items() for labels in pods), f"nothing has {selector}"
    coordinator = kinds["StatefulSet"][0]
    assert coordinator["spec"]["replicas"] == 1, "one coordinator, never two"
    container = coordinator["spec"]["template"]["spec"]["containers"][0]
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"]:
        assert container[probe]["grpc"] == {"port": 7400, "service": "phasegrid.v1.Sweeps"}, probe
    return found


checked = 0
for path in sorted(root.rglob("*.yaml")):
    for one in documents(path):
        if one["kind"] == "Kustomization":
            continue
        for release in RELEASES:
            kubernetes_validate.validate(one, release, strict=True)
        checked += 1
check_set(root / "base")
gpu = check_set(root / "gpu")
limits = [c["resources"]["limits"] for one in gpu if one["kind"] == "Deployment"
          for c in one["spec"]["template"]["spec"]["containers"]]
assert sum("nvidia.com/gpu" in limit for limit in limits) == 1, limits
print(f"manifests: {checked} objects against Kubernetes {', '.join(RELEASES)}")
