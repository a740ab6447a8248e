"""Every interleaving of a small world: searched, shrunk, played again."""
