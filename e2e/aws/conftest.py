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


@pytest.fixture(scope="module")
def moto_server():
    server = account.Moto()
    yield server
    server.close()


@pytest.fixture(scope="module")
def moto_proxy(moto_server):
    one = Proxy(moto_server.own_url)
    yield one
    one.close()


@pytest.fixture
def moto(moto_server):
    """A new account for each test."""
    moto_server.begin()
    return moto_server


@pytest.fixture
def proxy(moto, moto_proxy):
    moto_proxy.begin()
    moto.url = moto_proxy.url  # for hive and for boto3 alike
    return moto_proxy


@pytest.fixture
def config(moto, proxy, tmp_path):
    path = tmp_path / "hive.yml"
    path.write_text(account.FILE % (moto.certificate, moto.image))
    return path
