"""What can be shown of the engine by exploring it: every state within bounds, and what holds in all of them."""
