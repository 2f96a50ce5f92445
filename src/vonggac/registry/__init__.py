"""Which cameras there are, and what may be done with them: rows and pure rules."""
