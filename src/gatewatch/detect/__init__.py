"""Detection: every detector is one query over stored observations, judged window by window (DESIGN section 4)."""
