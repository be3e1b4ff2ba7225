"""What crosses the network, as bytes: values, tables and the messages of a call."""
