"""Reading pictures of strangers in processes of their own, which have little and can be killed at once."""

from srez.apart.box import LARGE, PROCESSES, SECONDS, Box

__all__ = ["LARGE", "PROCESSES", "SECONDS", "Box"]
