"""The `srez` command, and `python -m srez`."""

import signal


def main() -> None:
    """Run the command; Ctrl-C while it is being imported ends it without a traceback."""
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_ours:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from srez.cli import main as run  # takes a good part of a second

    if is_ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


if __name__ == "__main__":
    main()
