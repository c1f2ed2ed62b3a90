"""How sentences count things."""


def counted(number: float, noun: str) -> str:
    """A number with its noun in the singular or the plural: "1 shard", "2 shards", "1,000 pictures".

    Args:
        number: how many; a float has no decimal places that say nothing.
        noun: in the singular, with a regular plural.
    """
    text = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{text} {noun}" if number == 1 else f"{text} {noun}s"
