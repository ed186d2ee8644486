// What Swift sees of libcurl. Variadic functions are wrapped here, one per argument type.
#ifndef WAXWING_CCURL_SHIM_H
#define WAXWING_CCURL_SHIM_H

#include <curl/curl.h>

typedef size_t (*waxwing_curl_data_callback)(char *data, size_t size, size_t count, void *context);

// The parentheses around the names keep curl's type checking macros, which want constants, out of the way.

static inline CURLcode waxwing_curl_set_long(CURL *easy, CURLoption option, long value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode waxwing_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return (curl_easy_setopt)(easy, option, value);
}

// Also for raw bytes. curl copies all strings; for CURLOPT_COPYPOSTFIELDS the size has to be set before.
static inline CURLcode waxwing_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode waxwing_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode waxwing_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode waxwing_curl_set_data_callback(CURL *easy, CURLoption option, waxwing_curl_data_callback value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode waxwing_curl_set_prereq_callback(CURL *easy, curl_prereq_callback value) {
    return (curl_easy_setopt)(easy, CURLOPT_PREREQFUNCTION, value);
}

static inline CURLcode waxwing_curl_get_long(CURL *easy, CURLINFO info, long *value) {
    return (curl_easy_getinfo)(easy, info, value);
}

static inline CURLcode waxwing_curl_get_string(CURL *easy, CURLINFO info, char **value) {
    return (curl_easy_getinfo)(easy, info, value);
}

static inline CURLMcode waxwing_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return (curl_multi_setopt)(multi, option, value);
}

#endif
