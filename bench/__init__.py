"""A load in, what it cost out: measurements to repeat, one module each, run as `python -m bench.<name>`."""
