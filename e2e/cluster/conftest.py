"""One cluster for all tests of this folder; each leaves it as it was."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.cluster import Cluster, example, make_certificate  # noqa: E402

PORTS = {8080: 22580, 5000: 22585}
TLS = 22587


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cmdtest")
    make_certificate(folder)
    text = example("cmdtest", PORTS)
    listener = f", {{port: {TLS}, target: 8080, certificate: ./both.pem}}]"
    text = text.replace('"22585:5000"]', '"22585:5000"' + listener)
    assert listener in text
    with Cluster("cmdtest", PORTS, folder, text) as cluster:
        cluster.tls, cluster.certificate, cluster.pem = TLS, folder / "cert", folder / "both.pem"
        cluster.up()
        yield cluster
