"""The web page: a picture in, before and after under one slider, the result to download."""
