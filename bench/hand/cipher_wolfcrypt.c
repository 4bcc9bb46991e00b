/* AES-256-GCM of wolfCrypt, for wolfSSL. */
#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/aes.h>

#include <string.h>

#include "bench/hand/cipher.h"
#include "bench/way.h"

enum { NONCE = 12 };

static Aes aes;

static void must(int result) {
    if (result != 0) {
        die("the cipher alone failed: %d", result);
    }
}

/* The backend of portls asks for this cipher first by itself, and so does hand/wolfssl.c. */
void cipher_choose(void) {
}

void cipher_prepare(void) {
    static const unsigned char key[32] = "a fixed key";
    must(wc_AesInit(&aes, NULL, INVALID_DEVID));
    must(wc_AesGcmSetKey(&aes, key, sizeof key));
}

static void make_nonce(unsigned long number, unsigned char nonce[NONCE]) {
    memset(nonce, 0, NONCE);
    memcpy(nonce, &number, sizeof number);
}

void cipher_seal(unsigned long number, const unsigned char *aad, const unsigned char *plain,
                 size_t size, unsigned char *sealed, unsigned char *tag) {
    unsigned char nonce[NONCE];
    make_nonce(number, nonce);
    must(wc_AesGcmEncrypt(&aes, sealed, plain, (word32)size, nonce, sizeof nonce, tag, CIPHER_TAG,
                          aad, CIPHER_AAD));
}

void cipher_open(unsigned long number, const unsigned char *aad, const unsigned char *sealed,
                 size_t size, unsigned char *plain, const unsigned char *tag) {
    unsigned char nonce[NONCE];
    make_nonce(number, nonce);
    must(wc_AesGcmDecrypt(&aes, plain, sealed, (word32)size, nonce, sizeof nonce, tag, CIPHER_TAG,
                          aad, CIPHER_AAD));
}
