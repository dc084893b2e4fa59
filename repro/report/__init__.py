"""Every table of the papers with the published number beside the measured one."""
