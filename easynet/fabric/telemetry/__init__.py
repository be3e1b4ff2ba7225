"""What can be seen of a network: statistics, metrics, spans and logs."""
