"""Who does what, when, and for how much: advice that the runner may overrule."""
