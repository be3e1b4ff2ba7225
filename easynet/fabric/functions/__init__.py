"""The functions of a node and where they run: the event loop, threads, or processes of their own."""
