"""Facts of the field as data: status meanings, attack vocabulary, user-agent families, special addresses."""
