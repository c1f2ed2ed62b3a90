"""Models: those in the box, their cards, and the looks between two sets of weights."""
