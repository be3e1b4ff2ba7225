"""A task graph on real nodes: a pure state machine, the runner that obeys it, the journal it writes."""
