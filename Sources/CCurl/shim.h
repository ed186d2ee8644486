// What Swift sees of libcurl. Variadic functions are wrapped here, one per argument type.
#ifndef WAXWING_CCURL_SHIM_H
#define WAXWING_CCURL_SHIM_H

#include <curl/curl.h>

#endif
