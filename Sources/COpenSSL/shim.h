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
#include <openssl/sha.h>

/// An EVP_PKEY on a named curve from an encoded point and, for a private key, its scalar (else NULL). NULL when they are not valid.
/// In C because an OSSL_PARAM keeps pointers to its names, which Swift strings do not outlive.
static inline EVP_PKEY *waxwing_ec_key(const char *group, const unsigned char *point, size_t length, const BIGNUM *scalar)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (context && builder
        && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0)
        && OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, length)
        && (!scalar || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar))
        && (parameters = OSSL_PARAM_BLD_to_param(builder)) != NULL
        && EVP_PKEY_fromdata_init(context) == 1
        && EVP_PKEY_fromdata(context, &key, scalar ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return key;
}

/// An EVP_PKEY from the plain bytes of a private or a public key, in a context made ready by EVP_PKEY_fromdata_init. NULL when they are
/// not valid.
static inline EVP_PKEY *waxwing_raw_key(EVP_PKEY_CTX *context, const unsigned char *bytes, size_t length, int isPrivate)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM parameters[2] = {
        OSSL_PARAM_construct_octet_string(
            isPrivate ? OSSL_PKEY_PARAM_PRIV_KEY : OSSL_PKEY_PARAM_PUB_KEY, (void *)bytes, length),
        OSSL_PARAM_construct_end(),
    };
    if (EVP_PKEY_fromdata(context, &key, isPrivate ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return NULL;
    return key;
}

/// SHA-256 of bytes, into 32 bytes. For very many short texts: an EVP context takes memory anew for each of them, which costs a third of
/// what hashing a line does, and so OpenSSL's older functions are used here. 0 where they fail.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
static inline int waxwing_sha256(const void *bytes, size_t length, unsigned char *hash)
{
    SHA256_CTX context;
    return SHA256_Init(&context) == 1 && SHA256_Update(&context, bytes, length) == 1 && SHA256_Final(hash, &context) == 1;
}
#pragma clang diagnostic pop

#endif
