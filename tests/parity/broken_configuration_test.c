/*
 * An openssl.cnf that leaves OpenSSL without a provider: the backend is not available, and the
 * reason names the file. It concerns no other library.
 */
#include <stdlib.h>
#include <unistd.h>

#include "spec_support.h"

SPEC_SUITE(broken_configuration);

static const char no_provider[] = "openssl_conf = init\n"
                                  "[init]\n"
                                  "providers = providers\n"
                                  "[providers]\n"
                                  "missing = missing\n"
                                  "[missing]\n"
                                  "activate = 1\n"
                                  "module = /nonexistent/missing.so\n";

/* Makes OpenSSL read this text, before anything of portls is called. Returns the file's path. */
static const char *configure(const char *text, size_t size) {
    static char path[] = "/tmp/portls-openssl-cnf-XXXXXX";
    int descriptor = mkstemp(path);
    cr_assert(descriptor >= 0 && write(descriptor, text, size) == (ssize_t)size);
    close(descriptor);
    cr_assert_eq(setenv("OPENSSL_CONF", path, 1), 0);
    return path;
}

static bool is_backend(const char *name) {
    return strcmp(portls_backend_name(), name) == 0;
}

Test(broken_configuration, openssl_is_unavailable_without_a_provider) {
    const char *path = configure(no_provider, sizeof no_provider - 1);
    portls_context *context = NULL;
    if (is_backend("openssl")) {
        cr_assert(!portls_available());
        REQUIRE_TEXT(portls_load_fail_reason(), "OpenSSL cannot make a TLS context");
        REQUIRE_TEXT(portls_load_fail_reason(), path);
        REQUIRE_FAILURE(portls_make_client_context(PORTLS_AUTO, &context, &problem),
                        PORTLS_UNAVAILABLE, "OpenSSL cannot make a TLS context");
    } else if (is_backend("wolfssl")) {
        REQUIRE_OK(portls_make_client_context(PORTLS_AUTO, &context, &problem));
        portls_free_context(context);
    } /* tls.h does not tell why libretls cannot make a context */
    unlink(path);
}

/* OpenSSL ignores a file with a syntax error, and portls needs nothing of it. */
Test(broken_configuration, a_syntax_error_changes_nothing) {
    static const char text[] = "openssl_conf = init\n[init\n";
    const char *path = configure(text, sizeof text - 1);
    portls_context *context = NULL;
    REQUIRE_OK(portls_make_client_context(PORTLS_AUTO, &context, &problem));
    portls_free_context(context);
    unlink(path);
}
