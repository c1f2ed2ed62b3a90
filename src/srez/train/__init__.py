"""Training: everything that imports TensorFlow lives here, and nothing else does."""

import os

# TensorFlow reports its own optimisation attempts as errors; what matters reaches us as exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
