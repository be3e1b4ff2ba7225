"""Runs in simulated time: mock nodes that answer from recordings, and what goes wrong with them."""
