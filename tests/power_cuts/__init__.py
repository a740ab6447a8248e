"""The power-cut test: a whole update with a force delete in it, cut off at every instant, and switched on again."""
