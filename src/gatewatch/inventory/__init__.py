"""What APIs there are, judged from endpoint facts."""
