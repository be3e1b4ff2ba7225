"""The words of the domain: values and rules, no I/O, no await. Imports nothing of ours."""
