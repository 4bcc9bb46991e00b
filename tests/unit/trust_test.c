/* The system's trusted roots: which variable and which place counts. */
#define _POSIX_C_SOURCE 200809L

#include "tests/unit/pki.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/os/file.h"
#include "core/os/os.h"
#include "core/x509/credentials.h"

static portls_error error;
static struct certificate_list roots;
static size_t skipped;

#define IN_PKI(file) PORTLS_TEST_CERTS "/" file

static portls_status load(const char *file, const char *directory) {
    cr_assert_eq(file != NULL ? setenv("SSL_CERT_FILE", file, 1) : unsetenv("SSL_CERT_FILE"), 0);
    cr_assert_eq(
        directory != NULL ? setenv("SSL_CERT_DIR", directory, 1) : unsetenv("SSL_CERT_DIR"), 0);
    error_begin(&error);
    skipped = 0;
    portls_status status = trust_load_system(&roots, &skipped, &error);
    cr_assert_eq(error.status, status);
    if (status != PORTLS_OK) {
        cr_assert_eq(roots.count, 0);
        cr_assert_null(roots.blobs);
    }
    return status;
}

static void expect_count(const char *file, const char *directory, size_t count) {
    cr_assert_eq(load(file, directory), PORTLS_OK, "%s", error.message);
    cr_expect_eq(roots.count, count);
    certificate_list_clear(&roots);
}

static void expect_failure(const char *file, const char *directory, portls_status status,
                           const char *message) {
    cr_expect_eq(load(file, directory), status);
    cr_expect_eq(strncmp(error.message, message, strlen(message)), 0, "%s", error.message);
}

/* A directory of the test's own, with a file of the given text in it. */
static void make_directory(char *directory, const char *file, const char *text) {
    static const char form[] = "/tmp/portls-trust-XXXXXX";
    memcpy(directory, form, sizeof form);
    cr_assert_not_null(mkdtemp(directory));
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", directory, file);
    FILE *out = fopen(path, "wb");
    cr_assert_not_null(out);
    cr_assert_geq(fputs(text, out), 0);
    cr_assert_eq(fclose(out), 0);
}

static void remove_directory(const char *directory, const char *file) {
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", directory, file);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rmdir(directory), 0);
}

Test(trust, loads_the_file_that_is_named) {
    expect_count(IN_PKI("root.pem"), NULL, 1);
    expect_count(IN_PKI("roots.pem"), NULL, 2);
}

Test(trust, a_list_without_a_directory_is_an_error) {
    const char only[] = {os_path_list_separator, os_path_list_separator, '\0'};
    expect_failure(NULL, only, PORTLS_FILE, "SSL_CERT_DIR: names no directory");
    expect_count(IN_PKI("root.pem"), only, 1);
}

Test(trust, loads_the_directory_that_is_named_and_passes_over_other_files) {
    expect_count(NULL, IN_PKI("roots.d"), 2);
}

Test(trust, adds_both_up_without_doubles) {
    expect_count(IN_PKI("test.pem"), IN_PKI("roots.d"), 3);
    expect_count(IN_PKI("roots.pem"), IN_PKI("roots.d"), 2);
}

Test(trust, forgives_one_of_two_that_is_not_there) {
    expect_count(IN_PKI("root.pem"), IN_PKI("none.d"), 1);
    expect_count(IN_PKI("none.pem"), IN_PKI("roots.d"), 2);
    expect_failure(IN_PKI("none.pem"), IN_PKI("none.d"), PORTLS_FILE,
                   IN_PKI("none.pem") ": named by SSL_CERT_FILE, cannot be read: ");
}

Test(trust, says_what_is_named_and_not_there) {
    expect_failure(IN_PKI("none.pem"), NULL, PORTLS_FILE,
                   IN_PKI("none.pem") ": named by SSL_CERT_FILE, cannot be read: ");
    cr_expect_neq(error.os_errno, 0);
    expect_failure(NULL, IN_PKI("none.d"), PORTLS_FILE,
                   IN_PKI("none.d") ": named by SSL_CERT_DIR, cannot be read: ");
    expect_failure(IN_PKI("roots.d"), NULL, PORTLS_FILE,
                   IN_PKI("roots.d") ": is a directory, and SSL_CERT_FILE names a file "
                                     "(SSL_CERT_DIR is for a directory)");
}

Test(trust, refuses_a_file_without_certificates) {
    expect_failure(IN_PKI("root.key"), NULL, PORTLS_BAD_CERTIFICATE,
                   IN_PKI("root.key") ": no certificate in it");
    expect_failure(IN_PKI("root.key"), IN_PKI("roots.d"), PORTLS_BAD_CERTIFICATE,
                   IN_PKI("root.key") ": no certificate in it");
}

Test(trust, refuses_a_directory_without_certificates) {
    char directory[64];
    make_directory(directory, "notes", "nothing\n");
    cr_expect_eq(load(NULL, directory), PORTLS_FILE);
    cr_expect_not_null(
        strstr(error.message, ": named by SSL_CERT_DIR, has no file with a certificate in PEM"));
    remove_directory(directory, "notes");
}

Test(trust, skips_a_half_copied_file_in_a_directory) {
    char directory[64];
    make_directory(directory, "broken.pem", "-----BEGIN CERTIFICATE-----\nMAYw\n");
    cr_expect_eq(load(NULL, directory), PORTLS_FILE);
    cr_expect_not_null(strstr(error.message, "has no usable certificate in PEM; 1 were skipped"),
                       "%s", error.message);
    expect_count(IN_PKI("root.pem"), directory, 1);
    cr_expect_eq(skipped, 1);
    remove_directory(directory, "broken.pem");
}

static struct bytes joined(const char *first, const char *second, const char *third) {
    return bytes_join(bytes_join(bytes_of(first), bytes_of(second)), bytes_of(third));
}

/* A bundle with malformed blocks, of which one lacks its end, and a block that can carry distrust.
 */
Test(trust, skips_and_counts_what_is_malformed_in_a_bundle) {
    struct bytes good = pki_read("root.pem");
    struct bytes other = pki_read("second-root.pem");
    good.at[good.size] = other.at[other.size] = '\0';
    struct certificate_list list;
    cr_assert_eq(pem_certificates(good.at, good.size, "good", &list, &error), PORTLS_OK);
    struct bytes trusted = pem_of("TRUSTED CERTIFICATE", list.blobs[0].bytes, list.blobs[0].size);
    certificate_list_clear(&list);
    struct bytes text = joined("-----BEGIN CERTIFICATE-----\nMAYw\n", (char *)good.at,
                               "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n");
    text = bytes_join(bytes_join(text, trusted), other);
    text.at[text.size] = '\0';
    char directory[64];
    make_directory(directory, "bundle.pem", (char *)text.at);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/bundle.pem", directory);
    expect_count(path, NULL, 2);
    cr_expect_eq(skipped, 3);
    expect_count(NULL, directory, 2);
    cr_expect_eq(skipped, 3);
    remove_directory(directory, "bundle.pem");
    free(text.at);
    free(good.at);
}

Test(trust, refuses_a_bundle_of_which_nothing_can_be_used) {
    char directory[64];
    make_directory(
        directory, "bundle.pem",
        "-----BEGIN TRUSTED CERTIFICATE-----\nMAYw\n-----END TRUSTED CERTIFICATE-----\n");
    char path[128];
    (void)snprintf(path, sizeof path, "%s/bundle.pem", directory);
    cr_expect_eq(load(path, NULL), PORTLS_BAD_CERTIFICATE);
    cr_expect_not_null(strstr(error.message, "none of its 1 certificates can be used"), "%s",
                       error.message);
    remove_directory(directory, "bundle.pem");
}

/* A list, as OpenSSL reads it. */
Test(trust, loads_every_directory_of_a_list) {
    static const char form[] = "%s%c%s%c%c%s";
    char directory[64];
    char paths[1024];
    struct bytes text = pki_read("test.pem");
    text.at[text.size] = '\0';
    make_directory(directory, "one.pem", (char *)text.at);
    free(text.at);
    const char s = os_path_list_separator;
    (void)snprintf(paths, sizeof paths, form, directory, s, IN_PKI("roots.d"), s, s, "");
    expect_count(NULL, paths, 3);
    (void)snprintf(paths, sizeof paths, form, IN_PKI("none.d"), s, directory, s, s,
                   IN_PKI("roots.d"));
    expect_count(NULL, paths, 3);
    (void)snprintf(paths, sizeof paths, form, directory, s, IN_PKI("none.d"), s, s, IN_PKI("no.d"));
    expect_count(NULL, paths, 1);
    (void)snprintf(paths, sizeof paths, form, IN_PKI("none.d"), s, IN_PKI("no.d"), s, s, "");
    expect_failure(NULL, paths, PORTLS_FILE,
                   IN_PKI("none.d") ": named by SSL_CERT_DIR, cannot be read: ");
    remove_directory(directory, "one.pem");
}

static void count_root(void *argument, const uint8_t *der, size_t size) {
    (void)der;
    (void)size;
    ++*(size_t *)argument;
}

/* A variable that is empty is as one that is not set. */
Test(trust, else_loads_the_first_bundle_that_is_there) {
    const char *place = NULL;
    for (size_t i = 0; place == NULL && os_root_bundles[i] != NULL; i++) {
        struct bytes bytes;
        if (os_read_file(os_root_bundles[i], (size_t)1 << 24, &bytes.at, &bytes.size) == 0) {
            place = os_root_bundles[i];
            free(bytes.at);
        }
    }
    size_t in_store = 0; /* where the system has a store in place of bundles */
    cr_assert_eq(os_each_root(count_root, &in_store), 0);
    portls_status status = load("", "");
    if (os_root_bundles[0] == NULL) {
        cr_expect_eq(status, in_store > 0 ? PORTLS_OK : PORTLS_FILE);
        cr_expect_eq(roots.count > 0, in_store > 0);
        cr_expect_leq(roots.count, in_store);
        certificate_list_clear(&roots);
        return;
    }
    cr_expect_eq(in_store, 0);
    cr_expect_eq(status, place != NULL ? PORTLS_OK : PORTLS_FILE);
    if (place != NULL) {
        cr_expect_gt(roots.count, 0);
        size_t count = roots.count;
        certificate_list_clear(&roots);
        expect_count(place, NULL, count);
    } else {
        cr_expect_not_null(strstr(error.message, os_root_bundles[0]));
    }
}
