"""The gateway: the server it runs, whom it lets in, and the nodes it knows."""
