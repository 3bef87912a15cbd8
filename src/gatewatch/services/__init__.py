"""The only code that connects the stages."""
