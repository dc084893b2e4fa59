"""What of a cluster would bite a sweep, found out before anything is submitted."""
