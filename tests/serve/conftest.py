"""One server for all tests that do not need one of their own."""

from collections.abc import Iterator

import pytest

from helpers.serving import Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        tmp_path_factory.mktemp("serve"), "--max-pixels", "2000000", "--max-body", "4000000"
    ) as running:
        yield running
