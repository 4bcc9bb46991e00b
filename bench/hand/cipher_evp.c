/* AES-256-GCM of libcrypto, for OpenSSL and for libtls: EVP_EncryptInit(3). */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "bench/hand/cipher.h"
#include "bench/way.h"

enum { NONCE = 12 };

static EVP_CIPHER_CTX *sealing, *opening;

static void must(int result) {
    if (result != 1) {
        die("the cipher alone failed");
    }
}

/* By configuration file. libretls tells libcrypto to read none: it has to be read before. */
void cipher_choose(void) {
    must(setenv("OPENSSL_CONF", BENCH_OPENSSL_CONF, 1) == 0);
    must(OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL));
}

void cipher_prepare(void) {
    static const unsigned char key[32] = "a fixed key";
    sealing = EVP_CIPHER_CTX_new();
    opening = EVP_CIPHER_CTX_new();
    must(sealing != NULL && opening != NULL);
    must(EVP_EncryptInit_ex(sealing, EVP_aes_256_gcm(), NULL, key, NULL));
    must(EVP_DecryptInit_ex(opening, EVP_aes_256_gcm(), NULL, key, NULL));
}

static void make_nonce(unsigned long number, unsigned char nonce[NONCE]) {
    memset(nonce, 0, NONCE);
    memcpy(nonce, &number, sizeof number);
}

void cipher_seal(unsigned long number, const unsigned char *aad, const unsigned char *plain,
                 size_t size, unsigned char *sealed, unsigned char *tag) {
    unsigned char nonce[NONCE];
    int length = 0;
    make_nonce(number, nonce);
    must(EVP_EncryptInit_ex(sealing, NULL, NULL, NULL, nonce));
    must(EVP_EncryptUpdate(sealing, NULL, &length, aad, CIPHER_AAD));
    must(EVP_EncryptUpdate(sealing, sealed, &length, plain, (int)size));
    must(EVP_EncryptFinal_ex(sealing, sealed + length, &length));
    must(EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_AEAD_GET_TAG, CIPHER_TAG, tag));
}

void cipher_open(unsigned long number, const unsigned char *aad, const unsigned char *sealed,
                 size_t size, unsigned char *plain, const unsigned char *tag) {
    unsigned char nonce[NONCE];
    unsigned char expected[CIPHER_TAG];
    int length = 0;
    make_nonce(number, nonce);
    memcpy(expected, tag, sizeof expected);
    must(EVP_DecryptInit_ex(opening, NULL, NULL, NULL, nonce));
    must(EVP_DecryptUpdate(opening, NULL, &length, aad, CIPHER_AAD));
    must(EVP_DecryptUpdate(opening, plain, &length, sealed, (int)size));
    must(EVP_CIPHER_CTX_ctrl(opening, EVP_CTRL_AEAD_SET_TAG, CIPHER_TAG, expected));
    must(EVP_DecryptFinal_ex(opening, plain + length, &length));
}
