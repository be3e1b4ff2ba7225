"""Shown with real processes: runs whose processes are killed, and nodes that are killed under a run."""
