"""Where training pictures came from and which were left out."""

from dataclasses import dataclass

LISTED = 3  # pictures left out that are named one by one


@dataclass(frozen=True)
class Provenance:
    """Where training pictures came from.

    Attributes:
        sources: the names of the sources.
        skipped: a sentence for each picture left out, with the reason.
        summary: what was found, in three lines.
        fingerprint: a hash of the names and contents of all pictures, and of their parts where something
            names them.
    """

    sources: list[str]
    skipped: list[str]
    summary: tuple[str, str, str]
    fingerprint: str

    def lines(self, complete: str) -> list[str]:
        """What to print before a training: the first few pictures left out, then the summary.

        Args:
            complete: the name of the file that lists all pictures left out.
        """
        more = len(self.skipped) - LISTED
        return [
            *(f"left out: {reason}" for reason in self.skipped[:LISTED]),
            *([f"and {more:,} more: {complete} lists them all"] if more > 0 else []),
            *self.summary,
        ]
