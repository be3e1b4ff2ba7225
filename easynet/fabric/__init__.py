"""Processes talking: gateways, nodes and clients over NATS, which is imported here alone."""
