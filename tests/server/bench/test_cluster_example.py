"""The cluster in examples/cluster: what codeens needs of it, and KubeRay's own schema."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "examples" / "cluster"
SCHEMA = "CODEENS_KUBERAY_CRD"
"""Path of `ray-operator/config/crd/bases/ray.io_rayclusters.yaml` of KubeRay, which is too large to be kept here."""


def manifest() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "raycluster.yaml").read_text(encoding="utf-8"))


def test_head_and_nodes_have_one_image_with_the_version_of_ray_that_is_named() -> None:
    spec = manifest()["spec"]
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    images = {container["image"] for group in groups for container in group["template"]["spec"]["containers"]}
    built_on = re.search(r"^FROM rayproject/ray:([\d.]+)-py", (FOLDER / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert len(images) == 1
    assert built_on is not None
    assert built_on[1] == spec["rayVersion"]


def test_the_head_judges_nothing_and_nodes_may_make_namespaces_without_privileges() -> None:
    spec = manifest()["spec"]
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    (container,) = spec["workerGroupSpecs"][0]["template"]["spec"]["containers"]
    context = container["securityContext"]
    assert (context["allowPrivilegeEscalation"], context["capabilities"]) == (False, {"drop": ["ALL"]})
    assert context["seccompProfile"] == {"type": "Unconfined"}
    assert container["resources"]["limits"] == container["resources"]["requests"]


def test_the_manifest_is_valid_by_kuberays_own_schema() -> None:
    given = os.environ.get(SCHEMA)
    if not given:
        pytest.skip(f"not run: {SCHEMA} names no file of KubeRay's schema of clusters")
    definition = yaml.safe_load(Path(given).read_text(encoding="utf-8"))
    (schema,) = [one["schema"]["openAPIV3Schema"] for one in definition["spec"]["versions"] if one["name"] == "v1"]
    validator: Any = jsonschema.Draft7Validator(_strict(schema))
    validator.validate(manifest())


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    """Refuse fields that the schema does not name, as Kubernetes does with `--validate=strict`."""
    strict = dict(schema)
    if "properties" in schema:
        strict["properties"] = {name: _strict(part) for name, part in schema["properties"].items()}
        strict.setdefault("additionalProperties", "x-kubernetes-preserve-unknown-fields" in schema)
    if "items" in schema:
        strict["items"] = _strict(schema["items"])
    return strict
