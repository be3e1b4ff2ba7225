"""How well EasyNet does what it is asked: `python -m evals`."""
