"""The same words to two TCPs at once, and an explanation for every difference."""
