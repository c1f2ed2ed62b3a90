"""The built-in models, model cards, and the looks between two sets of weights."""
