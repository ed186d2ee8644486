// What Swift sees of libzstd.
#ifndef WAXWING_CZSTD_SHIM_H
#define WAXWING_CZSTD_SHIM_H

#include <zstd.h>
#include <zstd_errors.h>

#endif
