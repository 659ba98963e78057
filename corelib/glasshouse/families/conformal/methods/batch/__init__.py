"""Methods that promise something of a whole batch of test points."""
