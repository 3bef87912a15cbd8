"""The one place through which requests leave: who may be reached, over what, with which secrets."""
