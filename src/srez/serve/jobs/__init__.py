"""Work that waits: jobs on disk, pictures in the queue."""
