// Faults of the disk for a whole program, which gets this library by LD_PRELOAD. It says nothing to whoever links it; see disk_faults.c.
