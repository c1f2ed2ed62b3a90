"""Training: everything that imports TensorFlow lives here, and nothing else does."""
