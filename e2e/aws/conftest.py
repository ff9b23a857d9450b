import pytest

import account
from harness.run import Harness
from proxy import Proxy


@pytest.fixture(scope="module")
def aws(request):
    """An AWS whose instances are machines, for the tests of one file: see docs/testing.md."""
    name = request.module.__name__.removesuffix("_test").replace("_", "-")
    with Harness(f"aws-{name}"[:31].rstrip("-"), machines=True) as harness:
        yield harness


@pytest.fixture
def moto():
    server = account.Moto()
    yield server
    server.close()


@pytest.fixture
def proxy(moto):
    one = Proxy(moto.url)
    moto.url = one.url  # for hive and for boto3 alike
    yield one
    one.close()


@pytest.fixture
def config(moto, proxy, tmp_path):
    path = tmp_path / "hive.yml"
    path.write_text(account.FILE % (moto.certificate, moto.image))
    return path
