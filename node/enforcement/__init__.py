"""From signed request to signed answer: the node in one screen."""
