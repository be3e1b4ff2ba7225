"""How fast calls, discovery and large values are, beside the same work done by hand on NATS."""
