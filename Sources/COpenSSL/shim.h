// What Swift sees of OpenSSL 3's libcrypto. Function-like macros and variadic functions are wrapped here.
#ifndef WAXWING_COPENSSL_SHIM_H
#define WAXWING_COPENSSL_SHIM_H

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#endif
