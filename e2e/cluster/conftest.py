"""One cluster for all tests of this folder; each leaves it as it was."""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.cluster import Cluster, example  # noqa: E402

PORTS = {8080: 22580, 5000: 22585}
TLS = 22587


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cmdtest")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key",
                    "-out", "cert", "-subj", "/CN=shop", "-days", "2", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True, cwd=folder)
    (folder / "both.pem").write_bytes((folder / "cert").read_bytes() + (folder / "key").read_bytes())
    text = example("cmdtest", PORTS)
    listener = f", {{port: {TLS}, target: 8080, certificate: ./both.pem}}]"
    text = text.replace('"22585:5000"]', '"22585:5000"' + listener)
    assert listener in text
    with Cluster("cmdtest", PORTS, folder, text) as cluster:
        cluster.tls, cluster.certificate = TLS, folder / "cert"
        cluster.up()
        yield cluster
