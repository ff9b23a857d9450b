import pytest

import account
from proxy import Proxy


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
