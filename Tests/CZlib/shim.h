// What Swift sees of zlib, for test vectors alone.
#include <zlib.h>
