/* AES-256-GCM alone, by the library that the backend stands on, for the floor. */
#ifndef BENCH_HAND_CIPHER_H
#define BENCH_HAND_CIPHER_H

#include <stddef.h>

enum { CIPHER_TAG = 16, CIPHER_AAD = 5 };

/*
 * Has every way use TLS 1.3 with AES-256-GCM, which portls prefers, where the library lets a
 * program say so for all of its users. Before anything else in a process.
 */
void cipher_choose(void);

/* Sets up both directions with a fixed key: the floor protects nothing. */
void cipher_prepare(void);
/* Encrypts `size` bytes; `tag` receives 16. `number` is the record's, `aad` its header. */
void cipher_seal(unsigned long number, const unsigned char *aad, const unsigned char *plain,
                 size_t size, unsigned char *sealed, unsigned char *tag);
/* Decrypts them, and ends the process when the tag does not fit. */
void cipher_open(unsigned long number, const unsigned char *aad, const unsigned char *sealed,
                 size_t size, unsigned char *plain, const unsigned char *tag);

#endif
