"""What all routes are made of: the base classes, the context that they are made in, and common steps."""
