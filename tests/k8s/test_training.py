"""The Jobs that train: their commands, how they continue a run, and their failures."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from torch.distributed.run import get_args_parser
from typer.main import get_command

from service.settings import ROOT
from tests.k8s.conftest import K8S, Manifest, containers, environment, mounts, one, render, templates
from training.cli import REFUSED, app
from training.commands.publish import WORSE
from training.export.generator import name_of
from training.recipes.presets import PRESETS

JOB, PARALLEL, SEEDS, RETRAIN, TRAINJOB = (
    K8S / "training" / name for name in ("job", "parallel", "seeds", "retrain", "trainjob")
)
DUE = "faussaire-retrain-29384720"
"""A CronJob names each Job by the minute that it was due."""


def job_of(folder: Path) -> Manifest:
    """Return the spec of the folder's Job, or of the Jobs that its CronJob makes."""
    (manifest,) = [each for each in render(folder) if each["kind"] in {"Job", "CronJob"}]
    spec: Manifest = manifest["spec"]
    return spec["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else spec


def pod_of(folder: Path) -> Manifest:
    (template,) = [found for each in render(folder) for found in templates(each)]
    spec: Manifest = template["spec"]
    return spec


def steps(folder: Path) -> dict[str, Manifest]:
    return {each["name"]: each for each in containers(pod_of(folder))}


def parse(arguments: list[str]) -> Manifest:
    """Parse the options of a command as `faussaire` does."""
    command = get_command(app).commands[arguments[0]]  # type: ignore[attr-defined]
    options: Manifest = command.make_context(arguments[0], list(arguments[1:])).params
    return options


def test_the_job_trains_evaluates_and_exports_one_run() -> None:
    train, evaluate, export = (each["args"] for each in steps(JOB).values())
    options = parse(train)
    run = f"runs/{options['preset']}-{options['data_name']}-{options['seed']}"
    assert str(parse(evaluate)["model"]) == str(parse(export)["source"]) == run
    written = parse(export)["output"]
    assert str(written.parent) == mounts(steps(JOB)["export"])["models"]


def test_the_processes_that_share_a_run_have_a_core_each_and_even_parts_of_a_batch() -> None:
    train = steps(PARALLEL)["train"]
    torchrun = get_args_parser().parse_args([*train["command"][1:], *train["args"]])
    assert train["command"][0] == "torchrun"
    assert (torchrun.training_script, torchrun.no_python) == ("faussaire", True)
    assert torchrun.max_restarts >= 1
    processes = int(torchrun.nproc_per_node)
    assert train["resources"]["requests"]["cpu"] == str(processes)
    assert environment(train)["OMP_NUM_THREADS"] == "1"
    options = parse(torchrun.training_script_args)
    assert options == parse(steps(JOB)["train"]["args"])
    assert PRESETS[options["preset"]].batch % processes == 0


def test_a_seed_is_the_index_of_its_pod() -> None:
    job, (train,) = job_of(SEEDS), steps(SEEDS).values()
    assert job["completionMode"] == "Indexed"
    assert job["parallelism"] < job["completions"]
    options = parse([argument.replace("$(JOB_COMPLETION_INDEX)", "4") for argument in train["args"]])
    assert options["seed"] == 4
    assert options["run"] is None  # so the name of the run has the seed


@pytest.mark.parametrize("folder", [JOB, PARALLEL, SEEDS, RETRAIN, TRAINJOB], ids=lambda folder: folder.name)
def test_runs_and_data_are_on_volumes_where_commands_look_for_them(folder: Path) -> None:
    claims = {each["name"]: each.get("persistentVolumeClaim") for each in pod_of(folder)["volumes"]}
    assert claims.pop("tmp") is None
    assert {name: claim["claimName"] for name, claim in claims.items()} == {
        name: f"faussaire-{name}" for name in claims
    }
    for step in steps(folder).values():
        assert mounts(step)["runs"] == f"{step['workingDir']}/runs"
        assert mounts(step)["data"] == environment(step)["FAUSSAIRE_DATA_DIR"]


@pytest.mark.parametrize("folder", [JOB, SEEDS, RETRAIN, TRAINJOB], ids=lambda folder: folder.name)
def test_a_run_has_one_thread_for_each_requested_core_on_every_node(folder: Path) -> None:
    for step in steps(folder).values():
        (threads,) = [each for each in step["env"] if each["name"] == "OMP_NUM_THREADS"]
        assert threads["valueFrom"] == {"resourceFieldRef": {"resource": "requests.cpu"}}
        assert re.fullmatch(r"[1-9]\d*", step["resources"]["requests"]["cpu"])  # others are rounded up


@pytest.mark.parametrize("folder", [JOB, SEEDS, RETRAIN], ids=lambda folder: folder.name)
def test_an_eviction_is_no_failure_and_a_refused_run_is_not_tried_again(folder: Path) -> None:
    job = job_of(folder)
    assert pod_of(folder)["restartPolicy"] == "Never"  # a podFailurePolicy needs this
    assert job["podReplacementPolicy"] == "Failed"
    refused, evicted = job["podFailurePolicy"]["rules"]
    assert refused["action"] == ("FailIndex" if "completions" in job else "FailJob")
    assert refused["onExitCodes"] == {"operator": "In", "values": [REFUSED]}
    assert evicted["action"] == "Ignore"
    assert [condition["type"] for condition in evicted["onPodConditions"]] == ["DisruptionTarget"]
    assert job["backoffLimitPerIndex" if "completions" in job else "backoffLimit"] >= 3
    assert pod_of(folder)["terminationGracePeriodSeconds"] >= 120


def test_retraining_never_overlaps_and_ends_long_before_it_is_due_again() -> None:
    cronjob = one(render(RETRAIN), "CronJob", "faussaire-retrain")["spec"]
    assert cronjob["concurrencyPolicy"] == "Forbid"
    assert cronjob["schedule"].split()[2:] == ["*", "*", "0"]  # weekly
    assert cronjob["startingDeadlineSeconds"] + job_of(RETRAIN)["activeDeadlineSeconds"] < 7 * 24 * 3600
    assert cronjob["successfulJobsHistoryLimit"] > 0
    assert cronjob["failedJobsHistoryLimit"] > 0


def run_step(step: str, folder: Path, status: int = 0) -> "subprocess.CompletedProcess[str]":
    """Run a step of the CronJob with a stand-in for `faussaire` that prints its arguments and exits with `status`."""
    stand_in = folder / "faussaire"
    stand_in.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@"\nexit {status}\n')
    stand_in.chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "JOB": DUE}
    command = steps(RETRAIN)[step]["command"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_each_retraining_is_a_run_and_a_seed_of_its_own(tmp_path: Path) -> None:
    (name,) = [each for each in steps(RETRAIN)["train"]["env"] if each["name"] == "JOB"]
    assert name["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['batch.kubernetes.io/job-name']"
    done = run_step("train", tmp_path)
    options = parse(done.stdout.splitlines())
    assert options["seed"] == 29384720
    assert str(options["run"]) == f"runs/{DUE}/mnist-cgan"
    trained, options = options["run"], parse(run_step("publish", tmp_path).stdout.splitlines())
    assert options["source"] == trained
    assert str(options["models"]) == mounts(steps(RETRAIN)["publish"])["models"]
    assert options["canary"] is None


def test_retraining_publishes_under_the_name_of_a_shipped_model(tmp_path: Path) -> None:
    options = parse(run_step("publish", tmp_path).stdout.splitlines())
    assert options["name"] is None
    assert (ROOT / "models" / f"{name_of(options['source'])}.onnx").is_file()


def test_sigterm_reaches_training_itself(tmp_path: Path) -> None:
    """A shell in between would not pass SIGTERM on."""
    (tmp_path / "faussaire").write_text("#!/bin/sh\nkill -TERM $$\n")
    (tmp_path / "faussaire").chmod(0o755)
    command = steps(RETRAIN)["train"]["command"]
    done = subprocess.run(command, env={"PATH": f"{tmp_path}:/usr/bin:/bin", "JOB": DUE}, check=False)
    assert done.returncode == -15


@pytest.mark.parametrize(("status", "expected"), [(0, 0), (WORSE, 0), (REFUSED, REFUSED), (1, 1), (137, 137)])
def test_a_worse_model_is_no_failure_and_other_failures_stay_failures(
    status: int, expected: int, tmp_path: Path
) -> None:
    assert run_step("publish", tmp_path, status).returncode == expected


def test_a_failed_training_is_not_published(tmp_path: Path) -> None:
    assert run_step("train", tmp_path, REFUSED).returncode == REFUSED
    assert [each["name"] for each in pod_of(RETRAIN)["initContainers"]] == ["train"]
    assert [each["name"] for each in pod_of(RETRAIN)["containers"]] == ["publish"]


@pytest.mark.parametrize("folder", [JOB, PARALLEL, SEEDS, RETRAIN, TRAINJOB], ids=lambda folder: folder.name)
def test_training_is_kept_apart_from_the_service(folder: Path) -> None:
    (template,) = [found for each in render(folder) for found in templates(each)]
    labels = template["metadata"]["labels"]
    base = render(K8S / "base")
    assert not one(base, "Service")["spec"]["selector"].items() <= labels.items()
    assert not one(base, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    policy = one(render(folder), "NetworkPolicy", "faussaire-training")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["ingress"] == []
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}


def test_a_trainjob_names_the_runtime_beside_it() -> None:
    manifests = render(TRAINJOB)
    (trainjob,) = [each for each in manifests if each["kind"] == "TrainJob"]
    reference = trainjob["spec"]["runtimeRef"]
    runtime = one(manifests, reference["kind"], reference["name"])
    assert runtime["apiVersion"].split("/")[0] == reference["apiGroup"]
    (replicated,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    # Kubeflow gives a TrainJob's arguments to the container that has this label and name.
    assert replicated["template"]["metadata"]["labels"] == {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}
    assert steps(TRAINJOB).keys() == {"node"}
    assert parse(trainjob["spec"]["trainer"]["args"])["preset"] == "infogan"


def test_the_training_image_copies_all_that_its_package_needs(tmp_path: Path) -> None:
    copied = re.findall(r"^COPY (.+) /src/?(\S*)$", (K8S / "training" / "Dockerfile").read_text(), re.MULTILINE)
    for sources, target in copied:
        for source in sources.split():
            into = tmp_path / (target or source)
            into.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, into)
    hatchling = Path(sys.executable).parent / "hatchling"
    subprocess.run([hatchling, "build", "-t", "wheel"], cwd=tmp_path, check=True, capture_output=True)
    assert list((tmp_path / "dist").glob("faussaire-*.whl"))
