"""Pictures to train and to measure on: where they are found, how faces are cut out and kept."""
