#include "CProcess.h"

#include <sys/prctl.h>

int waxwing_set_dumpable(int value) { return prctl(PR_SET_DUMPABLE, (unsigned long)value, 0, 0, 0); }

int waxwing_get_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }
