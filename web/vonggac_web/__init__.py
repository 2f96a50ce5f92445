"""HTTP and nothing else. The page comes with a later version."""
