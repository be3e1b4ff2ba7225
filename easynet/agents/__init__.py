"""Loops that decide: from a sentence to the end of its run. LangGraph is imported here alone."""
