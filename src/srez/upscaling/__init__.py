"""From a picture to the larger one: the upscaler, its tiles, and files by the batch."""
