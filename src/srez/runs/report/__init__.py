"""A training run as one page: curves, sheets, recipe and card."""
