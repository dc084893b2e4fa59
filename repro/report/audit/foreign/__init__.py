"""Tables that are no paper's of ours: read from CSV or LaTeX, and held against declared or likely relations."""
