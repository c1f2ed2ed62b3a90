from srez.wording import counted


def test_only_one_is_singular() -> None:
    assert [counted(number, "shard") for number in (0, 1, 2, 12345)] == [
        "0 shards",
        "1 shard",
        "2 shards",
        "12,345 shards",
    ]
    assert [counted(seconds, "second") for seconds in (0.5, 1.0, 30.0)] == [
        "0.5 seconds",
        "1 second",
        "30 seconds",
    ]
