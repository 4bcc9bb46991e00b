/* Trusted roots in contexts: which certificates are skipped, which are an error, and how often the
   backend parses them. */
#define _POSIX_C_SOURCE 200809L

#include "tests/unit/pki.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/context/context.h"
#include "portls/portls.h"

static portls_error error;

#define IN_PKI(file) PORTLS_TEST_CERTS "/" file

/* Root certificate, whose key has become one of an unknown algorithm. */
static struct bytes unusable_root(void) {
    static const uint8_t rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
    struct bytes text = pki_read("root.pem");
    struct certificate_list list;
    cr_assert_eq(pem_certificates(text.at, text.size, "root", &list, &error), PORTLS_OK);
    uint8_t *der = (uint8_t *)list.blobs[0].bytes;
    size_t at = 0;
    while (memcmp(der + at, rsa, sizeof rsa) != 0) {
        at++;
        cr_assert_lt(at + sizeof rsa, list.blobs[0].size);
    }
    der[at + sizeof rsa - 1] = 0x63;
    struct bytes pem = pem_of("CERTIFICATE", der, list.blobs[0].size);
    certificate_list_clear(&list);
    free(text.at);
    return pem;
}

/* A directory of the test's own with two files: bundle.pem, and more.pem unless `more` is empty. */
struct directory {
    char path[64], bundle[128], more[128];
};

static void write_file(const char *path, struct bytes bytes) {
    FILE *out = fopen(path, "wb");
    cr_assert_not_null(out);
    cr_assert_eq(fwrite(bytes.at, 1, bytes.size, out), bytes.size);
    cr_assert_eq(fclose(out), 0);
    free(bytes.at);
}

static struct directory make_directory(struct bytes bundle, struct bytes more) {
    struct directory made = {.path = "/tmp/portls-roots-XXXXXX"};
    cr_assert_not_null(mkdtemp(made.path));
    (void)snprintf(made.bundle, sizeof made.bundle, "%s/bundle.pem", made.path);
    (void)snprintf(made.more, sizeof made.more, "%s/more.pem", made.path);
    write_file(made.bundle, bundle);
    write_file(made.more, more);
    return made;
}

static void remove_directory(const struct directory *made) {
    cr_assert_eq(unlink(made->bundle), 0);
    cr_assert_eq(unlink(made->more), 0);
    cr_assert_eq(rmdir(made->path), 0);
}

static portls_context *client(portls_protocol protocol) {
    portls_context *context = NULL;
    cr_assert_eq(portls_make_client_context(protocol, &context, &error), PORTLS_OK, "%s",
                 error.message);
    return context;
}

static size_t roots_of(const portls_context *context) {
    size_t parsed = context->settings.roots != NULL ? context->settings.roots->list.count : 0;
    return parsed + context->settings.more_roots.count;
}

/* ---- unusable certificates ---- */

Test(roots, an_unusable_one_of_the_system_is_skipped_and_counted) {
    struct directory made = make_directory(
        bytes_join(bytes_join(pki_read("root.pem"), unusable_root()), pki_read("second-root.pem")),
        bytes_of("-----BEGIN CERTIFICATE-----\nMAYw\n"));
    cr_assert_eq(setenv("SSL_CERT_FILE", made.bundle, 1), 0);
    cr_assert_eq(unsetenv("SSL_CERT_DIR"), 0);
    portls_context *contexts[] = {client(PORTLS_AUTO), client(PORTLS_SECURE), NULL};
    cr_assert_eq(portls_load_verify_system_certificates(contexts[0], &error), PORTLS_OK, "%s",
                 error.message);
    cr_assert_eq(error.status, PORTLS_OK);
    cr_assert_eq(portls_make_verified_client_context(NULL, &contexts[2], &error), PORTLS_OK);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(roots_of(contexts[i]), 2);
        cr_expect_eq(portls_skipped_root_certificates(contexts[i]), 1);
        portls_free_context(contexts[i]);
    }
    remove_directory(&made);
}

Test(roots, a_system_without_a_usable_one_is_an_error) {
    struct directory made = make_directory(unusable_root(), bytes_of(""));
    cr_assert_eq(setenv("SSL_CERT_FILE", made.bundle, 1), 0);
    cr_assert_eq(unsetenv("SSL_CERT_DIR"), 0);
    portls_context *context = client(PORTLS_AUTO);
    cr_expect_eq(portls_load_verify_system_certificates(context, &error), PORTLS_BAD_CERTIFICATE);
    cr_expect_not_null(strstr(error.message, "cannot use any of the trusted roots"));
    cr_expect_eq(roots_of(context), 0);
    cr_expect_eq(portls_skipped_root_certificates(context), 0);
    portls_free_context(context);
    cr_expect_eq(portls_make_client_context(PORTLS_SECURE, &context, &error),
                 PORTLS_BAD_CERTIFICATE);
    cr_expect_null(context);
    remove_directory(&made);
}

Test(roots, an_unusable_one_that_a_caller_loads_is_an_error_that_names_it) {
    struct directory made =
        make_directory(bytes_join(pki_read("root.pem"), unusable_root()), bytes_of(""));
    portls_context *context = client(PORTLS_AUTO);
    cr_assert_eq(portls_load_verify_root_certificates(context, IN_PKI("second-root.pem"), &error),
                 PORTLS_OK);
    cr_expect_eq(portls_load_verify_root_certificates(context, made.bundle, &error),
                 PORTLS_BAD_CERTIFICATE);
    cr_expect_eq(strncmp(error.message, made.bundle, strlen(made.bundle)), 0, "%s", error.message);
    cr_expect_not_null(strstr(error.message, "certificate 2 of the 2 in the trusted roots"), "%s",
                       error.message);
    cr_expect_eq(roots_of(context), 1);
    cr_expect_eq(portls_skipped_root_certificates(context), 0);
    portls_free_context(context);
    context = NULL;
    cr_expect_eq(portls_make_verified_client_context(made.bundle, &context, &error),
                 PORTLS_BAD_CERTIFICATE);
    cr_expect_null(context);
    remove_directory(&made);
}

Test(roots, a_directory_is_loaded_without_its_unusable_files) {
    struct directory made = make_directory(
        bytes_join(pki_read("root.pem"), unusable_root()),
        bytes_join(bytes_of("-----BEGIN CERTIFICATE-----\nMAYw\n"), pki_read("root.pem")));
    portls_context *context = client(PORTLS_AUTO);
    cr_assert_eq(portls_load_verify_directory(context, made.path, &error), PORTLS_OK, "%s",
                 error.message);
    cr_expect_eq(roots_of(context), 1);
    cr_expect_eq(portls_skipped_root_certificates(context), 2);
    cr_assert_eq(portls_load_verify_directory(context, IN_PKI("roots.d"), &error), PORTLS_OK);
    cr_expect_eq(roots_of(context), 3);
    remove_directory(&made);
    cr_expect_eq(portls_load_verify_directory(context, made.path, &error), PORTLS_FILE);
    cr_expect_eq(strncmp(error.message, made.path, strlen(made.path)), 0, "%s", error.message);
    cr_expect_eq(portls_load_verify_directory(context, NULL, &error), PORTLS_INVALID_ARGUMENT);
    cr_expect_eq(portls_load_verify_directory(NULL, made.path, &error), PORTLS_WRONG_KIND);
    cr_expect_eq(roots_of(context), 3);
    portls_free_context(context);
}

Test(roots, a_directory_of_unusable_files_is_an_error) {
    struct directory made =
        make_directory(unusable_root(), bytes_of("-----BEGIN CERTIFICATE-----\nMAYw\n"));
    portls_context *context = client(PORTLS_AUTO);
    cr_expect_eq(portls_load_verify_directory(context, made.path, &error), PORTLS_BAD_CERTIFICATE);
    cr_expect_eq(roots_of(context), 0);
    portls_free_context(context);
    remove_directory(&made);
}

/* ---- how often they are parsed ---- */

static const struct backend *real;
static size_t parsed;   /* certificates */
static size_t compiled; /* contexts */

static portls_status count_trust(const struct backend_blob *roots, size_t count,
                                 struct backend_trust **trust, portls_error *why) {
    parsed += count;
    return real->trust_new(roots, count, trust, why);
}

static portls_status count_context(const struct backend_settings *settings,
                                   struct backend_context **context, portls_error *why) {
    compiled++;
    return real->context_new(settings, context, why);
}

/* Makes a client context whose backend counts. */
static portls_context *counted(void) {
    static struct backend counting;
    portls_context *context = client(PORTLS_AUTO);
    real = context->snapshot->backend;
    counting = *real;
    counting.trust_new = count_trust;
    counting.context_new = count_context;
    context->snapshot->backend = &counting;
    parsed = compiled = 0;
    return context;
}

static void use(portls_context *context) {
    struct snapshot *snapshot = NULL;
    cr_assert_eq(context_snapshot(context, PORTLS_CLIENT, &snapshot, &error), PORTLS_OK, "%s",
                 error.message);
    cr_assert_not_null(snapshot->roots);
    snapshot_release(snapshot);
}

Test(roots, loading_them_call_by_call_parses_each_twice_at_most) {
    enum { CALLS = 40 };
    portls_context *context = counted();
    for (int i = 0; i < CALLS; i++) {
        const char *file = i % 2 == 0 ? IN_PKI("root.pem") : IN_PKI("second-root.pem");
        cr_assert_eq(portls_load_verify_root_certificates(context, file, &error), PORTLS_OK);
    }
    cr_expect_eq(parsed, CALLS);
    cr_expect_eq(compiled, 0);
    use(context);
    use(context);
    cr_expect_eq(parsed, 2 * CALLS);
    cr_expect_eq(compiled, 1);
    portls_free_context(context);
}

Test(roots, those_of_one_call_are_parsed_once) {
    portls_context *context = counted();
    cr_assert_eq(portls_load_verify_root_certificates(context, IN_PKI("roots.pem"), &error),
                 PORTLS_OK);
    cr_assert_eq(portls_set_verify(context, true, &error), PORTLS_OK);
    use(context);
    cr_expect_eq(parsed, 2);
    cr_expect_eq(compiled, 1);
    portls_free_context(context);
}

/* A copy shares all that was compiled, and one with an identity of its own the roots still. */
Test(roots, copies_share_what_was_parsed) {
    portls_context *context = counted();
    portls_context *copies[2] = {NULL, NULL};
    cr_assert_eq(portls_load_verify_root_certificates(context, IN_PKI("roots.pem"), &error),
                 PORTLS_OK);
    cr_assert_eq(portls_copy_context(context, &copies[0], &error), PORTLS_OK);
    cr_expect_eq(compiled, 1);
    cr_expect_eq(copies[0]->snapshot, context->snapshot);
    cr_assert_eq(portls_copy_context(copies[0], &copies[1], &error), PORTLS_OK);
    cr_assert_eq(portls_load_identity(copies[1], IN_PKI("test.pem"), IN_PKI("test.pem"), &error),
                 PORTLS_OK);
    cr_expect_eq(compiled, 2);
    cr_expect_eq(parsed, 2);
    cr_expect_eq(copies[1]->snapshot->roots, context->snapshot->roots);
    portls_free_context(context);
    use(copies[0]);
    use(copies[1]);
    portls_free_context(copies[0]);
    portls_free_context(copies[1]);
    cr_expect_eq(parsed, 2);
}
