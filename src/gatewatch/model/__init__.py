"""Values that travel between the stages: frozen, typed, without behaviour that needs the world."""
