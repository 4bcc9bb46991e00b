/*
 * Fuzzes host names and addresses as text, with the text as the input. The normal form of a name is
 * its own, and fits what DNS allows; an address is one exactly if inet_pton says so too, with the
 * same bytes.
 */
#include "core/x509/hostname.h"

#include <arpa/inet.h>

#include "fuzz/fuzz.h"

static void check_normal(const char *host) {
    char normal[HOSTNAME_MAX + 1];
    char again[HOSTNAME_MAX + 1];
    portls_error error = {.status = PORTLS_OK};
    portls_status status = hostname_normalise(host, normal, &error);
    if (status != PORTLS_OK) {
        FUZZ_CHECK(status == PORTLS_INVALID_ARGUMENT && error.status == status);
        FUZZ_CHECK(error.message[0] != '\0');
        return;
    }
    size_t size = strlen(normal);
    FUZZ_CHECK(size > 0 && size <= HOSTNAME_MAX && size <= strlen(host));
    FUZZ_CHECK(strpbrk(normal, "ABCDEFGHIJKLMNOPQRSTUVWXYZ %*/@") == NULL);
    FUZZ_CHECK(normal[size - 1] != '.' && normal[0] != '.' && strstr(normal, "..") == NULL);
    FUZZ_CHECK(hostname_normalise(normal, again, &error) == PORTLS_OK);
    FUZZ_CHECK(strcmp(normal, again) == 0);
    FUZZ_CHECK(!hostname_is_address(host) || hostname_is_address(normal));
}

static void check_address(const char *text) {
    uint8_t bytes[16];
    uint8_t expected[16];
    size_t size = hostname_address(text, strlen(text), bytes);
    size_t expected_size = 0;
    if (inet_pton(AF_INET, text, expected) == 1) {
        expected_size = 4;
    } else if (inet_pton(AF_INET6, text, expected) == 1) {
        expected_size = 16;
    }
    FUZZ_CHECK(size == expected_size && memcmp(bytes, expected, size) == 0);
    FUZZ_CHECK(size == 0 || hostname_is_address(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct backend_blob input = {bytes, size};
    char *host = malloc(size + 1);
    FUZZ_CHECK(host != NULL);
    if (fuzz_text(&input, host, size + 1)) {
        check_normal(host);
        check_address(host);
    }
    free(host);
    return 0;
}
