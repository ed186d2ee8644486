// What Swift cannot call of prctl(2), which is variadic.
#ifndef WAXWING_CPROCESS_H
#define WAXWING_CPROCESS_H

// Whether the process may be dumped, and looked into by others of its user: 0 or 1. Gives 0, or -1 with errno.
int waxwing_set_dumpable(int value);

// The same as it stands.
int waxwing_get_dumpable(void);

#endif
