/* How the OpenSSL backend reports what the library's error queue holds. */
#include <criterion/criterion.h>
#include <string.h>

#include "backends/openssl/openssl.h"

static portls_error error;

static void raise_error(int library, int reason) {
#ifdef LIBRESSL_VERSION_NUMBER
    ERR_put_error(library, 0, reason, __FILE__, __LINE__);
#else
    ERR_new();
    ERR_set_error(library, reason, NULL);
#endif
}

/* An allocation failure makes the layers above it fail for other reasons, whichever comes first. */
Test(openssl_failure, a_lack_of_memory_anywhere_in_the_queue_is_the_cause) {
    for (int place = 0; place < 3; place++) {
        memset(&error, 0, sizeof error);
        for (int i = 0; i < 3; i++) {
            raise_error(ERR_LIB_PEM, i == place ? ERR_R_MALLOC_FAILURE : PEM_R_NO_START_LINE);
        }
        cr_expect_eq(fail_library(&error, PORTLS_BAD_CERTIFICATE, "it is broken"),
                     PORTLS_NO_MEMORY);
        cr_expect_eq(error.status, PORTLS_NO_MEMORY);
        cr_expect_not_null(strstr(error.message, "not enough memory"));
        cr_expect_eq(ERR_peek_error(), 0, "the queue is empty");
    }
}

Test(openssl_failure, another_cause_is_reported_with_the_oldest_code) {
    memset(&error, 0, sizeof error);
    raise_error(ERR_LIB_PEM, PEM_R_NO_START_LINE);
    raise_error(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
    cr_expect_eq(fail_library(&error, PORTLS_BAD_CERTIFICATE, "it is broken"),
                 PORTLS_BAD_CERTIFICATE);
    cr_expect_str_eq(error.message, "it is broken");
    cr_expect_eq(ERR_GET_LIB((unsigned long)error.backend_code), ERR_LIB_PEM);
    cr_expect_eq(ERR_GET_REASON((unsigned long)error.backend_code), PEM_R_NO_START_LINE);
    cr_expect_eq(ERR_peek_error(), 0);
    raise_error(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
    cr_expect_eq(fail_library(&error, PORTLS_BAD_KEY, "a later one"), PORTLS_BAD_KEY);
    cr_expect_str_eq(error.message, "it is broken", "the first cause is kept");
    cr_expect_eq(ERR_GET_LIB((unsigned long)error.backend_code), ERR_LIB_PEM, "with its code");
}
