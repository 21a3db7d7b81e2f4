import pytest

from .worlds import RecordedWorld


@pytest.fixture
def recorded() -> RecordedWorld:
    return RecordedWorld()
