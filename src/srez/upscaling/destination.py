"""Where results go, as two arguments or -o say it."""

from pathlib import Path

from srez import images
from srez.errors import OutputError
from srez.upscaling.sources import STANDARD, is_pattern, probe


def named_output(inputs: list[Path]) -> Path | None:
    """The second of two arguments, if it names the result of the first: `srez upscale in.jpg out.png`.

    It does if it has the suffix of a picture, and is not there or was made by srez. Another picture is an
    input, because a shell replaces `*.jpg` by two names as well. The first one is a file or "-".

    Args:
        inputs: of the command, which has no other output.
    """
    if len(inputs) != 2 or images.format_of_suffix(inputs[1]) is None:
        return None
    source, target = inputs
    if source != STANDARD and (probe(source.is_dir) or (is_pattern(source) and not probe(source.exists))):
        return None
    if is_pattern(target) or (probe(target.exists) and not images.is_our_result(target)):
        return None
    return target


def refuse_missing_folder(out: Path) -> None:
    """Refuse a file or folder of results in a folder that is not there: its name may be mistyped.

    Raises:
        OutputError: it is in such a folder.
    """
    try:
        out.parent.stat()
    except FileNotFoundError:
        raise OutputError(f"{out}: there is no folder {out.parent}; create it first") from None
    except OSError:
        return  # writing will report it


def refuse_special(out: Path, advice: str) -> None:
    """Refuse a device or a pipe, which can be neither replaced by a result nor hold one.

    Args:
        out: where results are to go.
        advice: what to do instead.

    Raises:
        OutputError: it is there, and is neither a file nor a folder.
    """
    if out != STANDARD and probe(out.exists) and not (probe(out.is_file) or probe(out.is_dir)):
        raise OutputError(f"{out} is neither a file nor a folder: {advice}")
