"""Scores in other people's frameworks, each imported only by its own module: lightning, accelerate, diffusers."""
