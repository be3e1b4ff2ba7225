"""Receipts signed by nodes, many under one signature."""
