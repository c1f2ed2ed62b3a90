import pytest

from srez.errors import first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no\nsuch thing"), "no"),
        (ValueError("\n\n  later"), "later"),
        (ValueError(""), "ValueError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_an_error_always_says_something(error: BaseException, line: str) -> None:
    assert first_line(error) == line
