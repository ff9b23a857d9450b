"""One cluster for all tests of this folder; each leaves it as it was."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.cluster import Cluster  # noqa: E402

PORTS = {8080: 22580, 5000: 22585}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    with Cluster("cmdtest", PORTS, tmp_path_factory.mktemp("cmdtest")) as cluster:
        cluster.up()
        yield cluster
