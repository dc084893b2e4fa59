"""Results -> Markdown, CSV, LaTeX and HTML."""
