"""Work spread over processes and machines with Ray: training one network, upscaling many files."""
