import pytest

import account


@pytest.fixture
def moto():
    server = account.Moto()
    yield server
    server.close()


@pytest.fixture
def config(moto, tmp_path):
    path = tmp_path / "hive.yml"
    path.write_text(account.FILE % moto.image)
    return path
