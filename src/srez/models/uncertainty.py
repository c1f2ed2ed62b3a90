"""What the uncertainty of a model means."""

COVERAGE = 0.9  # the share of pixels whose truth lies within the distance that is given
