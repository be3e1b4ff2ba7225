"""The side of a call that answers: admission, running, answers and what is remembered of them."""
