"""Small pictures at once: the queue, the loaded models, and one picture from bytes to bytes."""
