"""The recipes in the box."""
