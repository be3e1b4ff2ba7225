"""From an understood intent and a catalogue to a checked task graph."""
