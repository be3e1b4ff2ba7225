"""Prompt text as data. Empty as long as nothing here asks a language model."""
