"""Each Compose file of the corpus, deployed once by the real `docker stack deploy` and once by
hive on the same real engine, gives the same objects, apart from the differences that
docs/differences.md lists. What is expected comes from docker in this run; the differences are
applied to docker's result here, in words of their own.
"""
import copy
import glob
import json
import os
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from lib.cluster import eventually  # noqa: E402
from lib.engine import ApiError, Engine, run  # noqa: E402

CORPUS = os.path.join(HERE, "corpus")
STACK = "shop"
TOOL = os.environ.get("HIVE_STACK_TOOL", os.path.join(
    os.environ.get("HIVE_BUILD_DIR", os.path.join(HERE, "..", "build", "release")), "src", "stack",
    "stack_tool"))
CALLER = {"FROM_SHELL": "from the shell", "EMPTY_IN_SHELL": ""}
NO_RESOLVE = "--resolve-image=never"


def cases():
    """[(name, [files])]: NAME.override.yml goes on top of NAME.yml."""
    result = []
    for path in sorted(glob.glob(os.path.join(CORPUS, "*.yml"))):
        if path.endswith(".override.yml"):
            continue
        over = path.replace(".yml", ".override.yml")
        files = [path] + ([over] if os.path.exists(over) else [])
        result.append((os.path.basename(path)[:-4], files))
    return result


@pytest.fixture(scope="module")
def engine():
    with Engine() as engine:
        engine.swarm_init()
        for name in ("existing-net", "existing-net-2"):
            engine.request("POST", "/networks/create", {"Name": name, "Driver": "overlay"})
        engine.request("POST", "/configs/create", {"Name": "existing-config", "Data": "YQ=="})
        engine.request("POST", "/secrets/create", {"Name": "existing-secret", "Data": "YQ=="})
        yield engine


# --- what is there
def label_filter():
    return {"label": [f"com.docker.stack.namespace={STACK}"]}


def objects(engine):
    """Everything of the stack, ids replaced by names, since ids differ between two deployments."""
    names = {network["Id"]: network["Name"] for network in engine.get("/networks")}
    kinds = {}
    for kind in ("secrets", "configs"):
        listed = engine.get(f"/{kind}")
        names.update({one["ID"]: one["Spec"]["Name"] for one in listed})
        kinds[kind] = {one["Spec"]["Name"]: one["Spec"] for one in engine.get(
            f"/{kind}", label_filter())}
    kinds["services"] = {}
    for service in engine.get("/services", label_filter()):
        kinds["services"][service["Spec"]["Name"]] = with_names(service["Spec"], names)
    kinds["networks"] = {}
    for network in engine.get("/networks", label_filter()):
        detail = allocated_network(engine, network["Id"])
        kept = {key: detail[key] for key in ("Driver", "Scope", "Internal", "Attachable", "Ingress",
                                             "Labels", "EnableIPv6", "IPAM", "Options")}
        # Chosen by the engine anew each time.
        if kept["Options"]:
            kept["Options"].pop("com.docker.network.driver.overlay.vxlanid_list", None)
        if kept["IPAM"].get("Config"):
            # The engine's default pool; the corpus keeps away from it.
            kept["IPAM"]["Config"] = [one for one in kept["IPAM"]["Config"]
                                      if not one["Subnet"].startswith("10.0.")]
        kinds["networks"][network["Name"]] = kept
    return kinds


def allocated_network(engine, identity, deadline_s=30):
    """A network of Swarm's has no driver until its allocator has been there."""
    end = time.monotonic() + deadline_s
    while True:
        detail = engine.get("/networks/" + identity)
        if detail["Driver"]:
            return detail
        assert time.monotonic() < end, f"{detail['Name']} is not allocated"
        time.sleep(0.1)


def with_names(value, names):
    if isinstance(value, dict):
        return {key: with_names(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [with_names(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value


def versions(engine):
    return {one["ID"]: one["Version"]["Index"] for one in engine.get("/services", label_filter())}


def allocated(service):
    """Swarm's allocator has given a new service what its networks and ports ask for: it writes the
    service once for that, some time after the creation. A service that needs neither gets no write."""
    spec = service["Spec"]
    endpoint = service.get("Endpoint", {})
    if spec["EndpointSpec"].get("Mode", "vip") == "vip" and spec["TaskTemplate"].get("Networks"):
        if not endpoint.get("VirtualIPs"):
            return False
    wanted = [port for port in spec["EndpointSpec"].get("Ports") or []
              if port["PublishMode"] == "ingress"]
    return len(endpoint.get("Ports") or []) >= len(wanted)


def steady_versions(engine, pause_s=0.5, deadline_s=30):
    """The versions once nothing of Swarm's own changes them any more."""
    end = time.monotonic() + deadline_s
    before = None
    while True:
        services = engine.get("/services", label_filter())
        now = {one["ID"]: one["Version"]["Index"] for one in services}
        if now == before and all(allocated(one) for one in services):
            return now
        assert time.monotonic() < end, "Swarm keeps writing the services"
        before = now
        time.sleep(pause_s)


def remove_all(engine):
    """By the API, of neither docker nor hive, until all is gone."""
    end = time.monotonic() + 60
    while True:
        left = 0
        for kind, key in (("services", "ID"), ("configs", "ID"), ("secrets", "ID"),
                          ("networks", "Id")):
            for one in engine.get("/" + kind, label_filter()):
                left += 1
                try:
                    engine.request("DELETE", f"/{kind}/{one[key]}")
                except ApiError:
                    pass  # still in use: again
        left += len(engine.get("/tasks", label_filter()))
        if left == 0:
            return
        assert time.monotonic() < end, "the stack does not go"
        time.sleep(0.1)


# --- the documented differences, on docker's result
def hive_differences(specs, hive_x, has_ip_vs):
    for name, spec in specs.items():
        ports = spec.get("EndpointSpec", {}).get("Ports") or []
        listeners = []
        for port in ports:
            if port["PublishMode"] == "ingress" and port["Protocol"] == "tcp":
                if port.get("PublishedPort"):
                    listeners.append({"port": port["PublishedPort"], "protocol": "tcp",
                                      "target": port["TargetPort"]})
                port["PublishMode"] = "host"
                port.pop("PublishedPort", None)
        if listeners:
            spec["Labels"]["hive.listeners"] = listeners
        if name in hive_x:
            spec["Labels"]["hive.x"] = hive_x[name]
        if not has_ip_vs and not any(port["PublishMode"] == "ingress" for port in ports):
            spec["EndpointSpec"]["Mode"] = "dnsrr"
        restart = spec["TaskTemplate"].get("RestartPolicy") or {}
        if 0 <= restart.get("Delay", 5_000_000_000) < 5_000_000_000:
            restart["Delay"] = 5_000_000_000
        if "Init" not in spec["TaskTemplate"]["ContainerSpec"]:
            spec["TaskTemplate"]["ContainerSpec"]["Init"] = True
        container = spec["TaskTemplate"]["ContainerSpec"]
        if container["Init"]:
            drain = hive_x.get(name, {}).get("drain", {})
            steps = ["timeout", "stop_timeout", "flush_timeout"]
            steps += ["hooks_timeout"] if drain.get("pre_stop") else []
            seconds = 5 + sum(int(drain.get(key, "30s").rstrip("s")) for key in steps)
            container["StopGracePeriod"] = max(container.get("StopGracePeriod", 0),
                                               seconds * 1_000_000_000)


def comparable(kinds):
    """Orders without meaning, which docker itself leaves to chance, and JSON within labels."""
    kinds = copy.deepcopy(kinds)
    for spec in kinds["services"].values():
        container = spec["TaskTemplate"]["ContainerSpec"]
        for key, name in (("Secrets", "SecretName"), ("Configs", "ConfigName")):
            if key in container:
                container[key].sort(key=lambda one: (one[name], json.dumps(one, sort_keys=True)))
        if spec.get("EndpointSpec", {}).get("Ports"):
            spec["EndpointSpec"]["Ports"].sort(key=lambda one: json.dumps(one, sort_keys=True))
        for label in ("hive.listeners", "hive.x"):
            value = spec["Labels"].get(label)
            if isinstance(value, str):
                value = json.loads(value)
            if isinstance(value, list):
                value = sorted(value, key=lambda one: json.dumps(one, sort_keys=True))
            if value is not None:
                spec["Labels"][label] = value
    return kinds


def differing(hive, docker, path=""):
    """["path: hive's value, docker's value"], empty when equal."""
    if isinstance(hive, dict) and isinstance(docker, dict):
        lines = []
        for key in sorted(hive.keys() | docker.keys()):
            lines += differing(hive.get(key), docker.get(key), f"{path}/{key}")
        return lines
    if isinstance(hive, list) and isinstance(docker, list) and len(hive) == len(docker):
        return [line for index, (one, other) in enumerate(zip(hive, docker))
                for line in differing(one, other, f"{path}[{index}]")]
    return [] if hive == docker else [f"{path}: hive {hive!r}, docker {docker!r}"]


def hive_x_of(files):
    """The x-hive objects of the corpus' services, read by python's own YAML reader."""
    yaml = pytest.importorskip("yaml")
    found = {}
    for path in files:
        with open(path) as f:
            text = f.read()
        if "x-hive" not in text:
            continue
        for name, service in yaml.safe_load(text)["services"].items():
            if "x-hive" in service:
                found[f"{STACK}_{name}"] = service["x-hive"]
    return found


# --- the two ways
def deploy_docker(engine, files):
    args = [word for path in files for word in ("-c", path)]
    return engine.docker("stack", "deploy", NO_RESOLVE, *args, STACK, env=CALLER)


def tool(verb, engine, files, check=True, ip_vs=True):
    env = {**CALLER, **({} if ip_vs else {"HIVE_NO_IP_VS": "1"})}
    return run([TOOL, verb, engine.host, STACK, *files], check=check, env=env)


@pytest.mark.parametrize("ip_vs", [True, False], ids=["ip_vs", "no_ip_vs"])
@pytest.mark.parametrize("name,files", cases(), ids=[name for name, _ in cases()])
def test_same_as_docker(engine, name, files, ip_vs):
    remove_all(engine)
    try:
        deploy_docker(engine, files)
        expected = objects(engine)
        assert expected["services"], "docker deployed nothing"
        hive_differences(expected["services"], hive_x_of(files), ip_vs)
        remove_all(engine)
        tool("deploy", engine, files, ip_vs=ip_vs)
        actual = objects(engine)
        assert differing(comparable(actual), comparable(expected)) == []
        # Nothing to do the second time, and it says so; and nothing is written.
        before = steady_versions(engine)
        again = tool("deploy", engine, files, ip_vs=ip_vs).stdout
        assert "changes nothing" in again, again
        assert versions(engine) == before
    finally:
        remove_all(engine)


def test_over_a_stack_of_docker(engine, tmp_path):
    """A stack that docker deployed is taken over: the same objects, only the differences change."""
    remove_all(engine)
    files = [os.path.join(CORPUS, "17-configs-secrets.yml")]
    try:
        deploy_docker(engine, files)
        docker_ids = {one["Spec"]["Name"]: one["ID"] for one in engine.get(
            "/services", label_filter())}
        tool("deploy", engine, files)
        assert {one["Spec"]["Name"]: one["ID"] for one in engine.get(
            "/services", label_filter())} == docker_ids
        assert "changes nothing" in tool("plan", engine, files).stdout
    finally:
        remove_all(engine)


def test_changed_content_is_refused(engine, tmp_path):
    remove_all(engine)
    content = tmp_path / "content"
    for kind in ("configs", "secrets"):
        content.write_text("one")
        compose = tmp_path / "compose.yml"
        compose.write_text(f"""
version: "3.8"
services: {{a: {{image: "example.invalid/a:1", {kind}: [thing]}}}}
{kind}: {{thing: {{file: ./content}}}}
""")
        try:
            tool("deploy", engine, [str(compose)])
            content.write_text("two")
            refused = tool("deploy", engine, [str(compose)], check=False)
            assert refused.returncode != 0
            assert f"{kind[:-1]} shop_thing is there with another content" in refused.stderr
        finally:
            remove_all(engine)


def test_remove(engine):
    remove_all(engine)
    tool("deploy", engine, [os.path.join(CORPUS, "17-configs-secrets.yml")])
    run([TOOL, "rm", engine.host, STACK])
    for kind in ("services", "configs", "secrets"):
        assert engine.get("/" + kind, label_filter()) == [], kind
    # Swarm lets go of a network once the last task has left it.
    assert eventually(lambda: engine.get("/networks", label_filter()) == [], 60)
    gone = run([TOOL, "rm", engine.host, STACK], check=False)
    assert gone.returncode != 0 and "nothing found" in gone.stderr
