"""Jobs: large pictures that are upscaled one after another."""
