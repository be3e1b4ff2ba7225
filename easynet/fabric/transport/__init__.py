"""One connection to the NATS server, and what is asked and answered over it."""
