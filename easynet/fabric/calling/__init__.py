"""The side of a call that asks: which node, the message out, and the call until its end is known."""
