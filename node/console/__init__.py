"""Web console for officers and operators."""
