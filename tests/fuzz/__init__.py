"""Anything at all, at everything that reads what others wrote, for as long as there is time: ``python -m fuzz``."""
