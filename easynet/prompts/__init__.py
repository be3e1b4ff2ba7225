"""Prompt text as data: one version of one prompt a file, never changed once it has been used."""
