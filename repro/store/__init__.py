"""Everything on disk: run folders, records, journals, locks; the one place that knows file names."""
