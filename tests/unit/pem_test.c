/* Certificates in PEM: which are found, what is passed over, and what mistakes are called. */
#include "tests/unit/pki.h"

#include "core/base/error.h"
#include "core/x509/credentials.h"

static portls_error error;

/* Looks for certificates in a text of its exact size, so that a checker sees each byte too far. */
static portls_status certificates(const void *bytes, size_t size, struct certificate_list *list) {
    uint8_t *exact = malloc(size > 0 ? size : 1);
    cr_assert_not_null(exact);
    memcpy(exact, bytes, size);
    error_begin(&error);
    portls_status status = pem_certificates(exact, size, "x.pem", list, &error);
    free(exact);
    cr_assert_eq(error.status, status);
    if (status != PORTLS_OK) {
        cr_assert_eq(list->count, 0);
        cr_assert_null(list->blobs);
        cr_assert_neq(error.message[0], '\0');
        cr_assert_null(strchr(error.message, '\n'));
    }
    return status;
}

static void expect_count(struct bytes text, size_t count) {
    struct certificate_list list;
    cr_assert_eq(certificates(text.at, text.size, &list), PORTLS_OK, "%s", error.message);
    cr_expect_eq(list.count, count);
    certificate_list_clear(&list);
    cr_expect_null(list.blobs);
    free(text.at);
}

static void expect_message(struct bytes text, const char *message) {
    struct certificate_list list;
    cr_expect_eq(certificates(text.at, text.size, &list), PORTLS_BAD_CERTIFICATE);
    cr_expect_str_eq(error.message, message);
    free(text.at);
}

/* What a decoder of somebody else's makes of the one certificate of a file is in the other. */
Test(pem, decodes_the_bytes_that_openssl_encoded) {
    struct bytes key = pki_read("server-rsa2048.pem");
    struct certificate_list list;
    cr_assert_eq(certificates(key.at, key.size, &list), PORTLS_OK);
    struct bytes again = pem_of("CERTIFICATE", list.blobs[0].bytes, list.blobs[0].size);
    cr_expect_eq(again.size, key.size);
    cr_expect_arr_eq(again.at, key.at, key.size);
    certificate_list_clear(&list);
    free(again.at);
    free(key.at);
}

Test(pem, finds_a_chain_in_its_order) {
    struct bytes leaf = pki_read("server-p256.pem");
    struct bytes chain = pki_read("server-p256.chain.pem");
    struct certificate_list one;
    struct certificate_list two;
    cr_assert_eq(certificates(leaf.at, leaf.size, &one), PORTLS_OK);
    cr_assert_eq(certificates(chain.at, chain.size, &two), PORTLS_OK);
    cr_assert_eq(two.count, 2);
    cr_assert_eq(one.blobs[0].size, two.blobs[0].size);
    cr_expect_arr_eq(one.blobs[0].bytes, two.blobs[0].bytes, one.blobs[0].size);
    certificate_list_clear(&one);
    certificate_list_clear(&two);
    free(leaf.at);
    free(chain.at);
}

Test(pem, passes_over_keys_and_text) {
    expect_count(pki_read("test.pem"), 1);
    struct bytes noisy = bytes_of("subject=/CN=x: y\nBag Attributes\n    a: b\n\n");
    noisy = bytes_join(noisy, pki_read("server-p256.key"));
    noisy = bytes_join(noisy, pki_read("root.pem"));
    noisy = bytes_join(noisy, bytes_of("--- the end ---"));
    expect_count(noisy, 1);
}

Test(pem, takes_all_three_labels) {
    static const uint8_t der[] = {0x30, 0x06, 0x30, 0x00, 0x30, 0x00, 0x03, 0x00};
    expect_count(pem_of("CERTIFICATE", der, sizeof der), 1);
    expect_count(pem_of("X509 CERTIFICATE", der, sizeof der), 1);
    expect_count(pem_of("TRUSTED CERTIFICATE", der, sizeof der), 1);
    expect_message(pem_of("CERTIFICATE REQUEST", der, sizeof der),
                   "x.pem: no certificate in it (a PEM block that begins with -----BEGIN "
                   "CERTIFICATE----- was expected)");
}

Test(pem, drops_openssl_settings_that_say_nothing_and_refuses_others) {
    static const uint8_t name_only[] = {0x30, 0x06, 0x30, 0x00, 0x30, 0x00, 0x03,
                                        0x00, 0x30, 0x03, 0x0c, 0x01, 'x'};
    static const uint8_t rejecting[] = {0x30, 0x06, 0x30, 0x00, 0x30, 0x00, 0x03,
                                        0x00, 0x30, 0x04, 0xa0, 0x02, 0x06, 0x00};
    struct bytes text = pem_of("TRUSTED CERTIFICATE", name_only, sizeof name_only);
    struct certificate_list list;
    cr_assert_eq(certificates(text.at, text.size, &list), PORTLS_OK);
    cr_expect_eq(list.blobs[0].size, 8);
    certificate_list_clear(&list);
    free(text.at);
    expect_message(pem_of("TRUSTED CERTIFICATE", rejecting, sizeof rejecting),
                   "x.pem: certificate 1, in line 1, carries trust settings of OpenSSL, which "
                   "cannot be kept (openssl x509 -in FILE -out FILE drops them)");
    expect_message(pem_of("CERTIFICATE", name_only, sizeof name_only),
                   "x.pem: certificate 1, in line 1, has more bytes than its certificate");
}

/* Gives the text with each '\n' replaced. */
static struct bytes with_line_ends(struct bytes text, const char *end) {
    size_t size = strlen(end);
    struct bytes out = {malloc(text.size * size + 1), 0};
    cr_assert_not_null(out.at);
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t *from = text.at[i] == '\n' ? (const uint8_t *)end : &text.at[i];
        size_t count = text.at[i] == '\n' ? size : 1;
        for (size_t j = 0; j < count; j++) {
            out.at[out.size++] = from[j];
        }
    }
    free(text.at);
    return out;
}

Test(pem, tolerates_line_ends_and_white_space) {
    expect_count(with_line_ends(pki_read("roots.pem"), "\r\n"), 2);
    expect_count(with_line_ends(pki_read("roots.pem"), "\r"), 2);
    expect_count(with_line_ends(pki_read("roots.pem"), " \t \n"), 2);
    expect_count(with_line_ends(pki_read("roots.pem"), "\n\n"), 2);
    expect_count(with_line_ends(pki_read("roots.pem"), "\n  "), 2);
    expect_count(bytes_join(bytes_of("\xef\xbb\xbf"), pki_read("root.pem")), 1);
    struct bytes no_end = pki_read("root.pem");
    no_end.size--;
    expect_count(no_end, 1);
}

Test(pem, says_what_is_missing) {
    expect_message(bytes_of(""), "x.pem: it is empty (a PEM block that begins with -----BEGIN "
                                 "CERTIFICATE----- was expected)");
    expect_message(pki_read("server-p256.key"),
                   "x.pem: no certificate in it (a PEM block that begins with -----BEGIN "
                   "CERTIFICATE----- was expected)");
    expect_message(pki_read("rsa.pkcs8.der"),
                   "x.pem: it is DER (ASN.1), and PEM was expected (openssl x509 -inform DER -in "
                   "FILE -out NEWFILE converts a certificate)");
}

Test(pem, says_where_a_block_is_broken) {
    expect_message(bytes_of("\n-----BEGIN CERTIFICATE-----\nMAYw\n"),
                   "x.pem: the PEM block CERTIFICATE that begins in line 2 has no line -----END "
                   "CERTIFICATE-----");
    expect_message(bytes_of("-----BEGIN CERTIFICATE-----\nMAYw\n-----END PRIVATE KEY-----\n"),
                   "x.pem: the PEM block CERTIFICATE that begins in line 1 has no line -----END "
                   "CERTIFICATE-----");
    expect_message(
        bytes_of("-----BEGIN CERTIFICATE----\nMAYw\n-----END CERTIFICATE-----\n"),
        "x.pem: line 1 begins a PEM block, but is not of the form -----BEGIN LABEL-----");
    expect_message(bytes_of("MAYw\n-----END CERTIFICATE-----\n"),
                   "x.pem: line 2 ends a PEM block that has no -----BEGIN line");
    expect_message(bytes_of("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
                   "x.pem: the PEM block CERTIFICATE that begins in line 1 has nothing in it "
                   "(line 2)");
    struct bytes second = bytes_join(
        pki_read("root.pem"),
        bytes_of("-----BEGIN CERTIFICATE-----\nMAYwADAAAwA=\n-----END CERTIFICATE-----\n"
                 "-----BEGIN CERTIFICATE-----\nMAYwADAABAA=\n-----END CERTIFICATE-----\n"));
    struct certificate_list list;
    cr_expect_eq(certificates(second.at, second.size, &list), PORTLS_BAD_CERTIFICATE);
    cr_expect_not_null(strstr(error.message, "x.pem: certificate 3, in line "));
    cr_expect_not_null(strstr(error.message, " is not the DER of a certificate"));
    free(second.at);
}

static void expect_base64(const char *base64, const char *fault) {
    char text[512];
    char message[512];
    (void)snprintf(text, sizeof text, "-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n",
                   base64);
    (void)snprintf(message, sizeof message,
                   "x.pem: the PEM block CERTIFICATE that begins in line 1 %s", fault);
    expect_message(bytes_of(text), message);
}

Test(pem, says_where_base64_is_broken) {
    expect_base64("MAYwADAAA*A=\n", "has a character that base64 has not at this place (line 2)");
    expect_base64("MAYw\r\nAD-A\r\n", "has a character that base64 has not at this place (line 3)");
    expect_base64("MAYwADAAAwA=\nMAYw\n",
                  "has a character that base64 has not at this place (line 3)");
    expect_base64("MAYwADAAA=A=\n", "has a character that base64 has not at this place (line 2)");
    expect_base64("MAYwADAAA===\n", "has a character that base64 has not at this place (line 2)");
    expect_base64("MAYwADAAAwA\n", "ends in the middle of its base64 (line 3)");
    expect_base64("MAYwADAAAw\n\n", "ends in the middle of its base64 (line 4)");
}

/* Bytes 0x80 and up are the ones that a table with a signed index would get wrong. */
Test(pem, knows_the_64_characters_of_base64_and_no_others) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int c = 1; c < 256; c++) {
        char text[] = "-----BEGIN CERTIFICATE-----\nMAYwADAAA?A=\n-----END CERTIFICATE-----\n";
        *strchr(text, '?') = (char)c;
        struct certificate_list list;
        bool right = certificates(text, strlen(text), &list) == PORTLS_OK;
        bool none = strstr(error.message, "has a character") != NULL;
        if (strchr(" \t\n\r=:", c) != NULL) {
            cr_expect_not(right, "%d", c); /* white space, padding, and what makes a header */
        } else {
            cr_expect_eq(none, strchr(digits, c) == NULL, "%d", c);
            cr_expect_eq(right, c == 'w', "%d", c);
        }
        certificate_list_clear(&list);
    }
}

Test(pem, refuses_lengths_that_are_not_der) {
    static const uint8_t indefinite[] = {0x30, 0x80, 0x30, 0x00, 0x30, 0x00, 0x03, 0x00, 0, 0};
    static const uint8_t long_form[] = {0x30, 0x81, 0x06, 0x30, 0x00, 0x30, 0x00, 0x03, 0x00};
    static const uint8_t too_long[] = {0x30, 0x07, 0x30, 0x00, 0x30, 0x00, 0x03, 0x00};
    static const uint8_t huge[] = {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30, 0x00};
    static const uint8_t wider[] = {0x30, 0x85, 0x01, 0, 0, 0, 0, 0x30, 0x00};
    const char *message = "x.pem: certificate 1, in line 1, is not the DER of a certificate";
    expect_message(pem_of("CERTIFICATE", indefinite, sizeof indefinite), message);
    expect_message(pem_of("CERTIFICATE", long_form, sizeof long_form), message);
    expect_message(pem_of("CERTIFICATE", too_long, sizeof too_long), message);
    expect_message(pem_of("CERTIFICATE", huge, sizeof huge), message);
    expect_message(pem_of("CERTIFICATE", wider, sizeof wider), message);
}

Test(pem, limits_the_size_of_a_certificate) {
    size_t size = (size_t)400 * 1024;
    uint8_t *zeros = calloc(size, 1);
    cr_assert_not_null(zeros);
    expect_message(pem_of("CERTIFICATE", zeros, size),
                   "x.pem: the PEM block CERTIFICATE that begins in line 1 is too long (it may "
                   "have 262144 bytes)");
    free(zeros);
}

Test(pem, appends_copies) {
    struct bytes text = pki_read("roots.pem");
    struct certificate_list roots;
    struct certificate_list all = {NULL, 0};
    const struct certificate_list none = {NULL, 0};
    cr_assert_eq(certificates(text.at, text.size, &roots), PORTLS_OK);
    cr_expect_eq(certificate_list_append(&all, &none, &error), PORTLS_OK);
    cr_expect_eq(certificate_list_append(&all, &roots, &error), PORTLS_OK);
    cr_expect_eq(certificate_list_append(&all, &roots, &error), PORTLS_OK);
    cr_assert_eq(all.count, 4);
    cr_expect_neq(all.blobs[3].bytes, roots.blobs[1].bytes);
    cr_expect_arr_eq(all.blobs[3].bytes, roots.blobs[1].bytes, roots.blobs[1].size);
    certificate_list_clear(&roots);
    certificate_list_clear(&all);
    free(text.at);
}

Test(pem, survives_every_truncation) {
    struct bytes text = pki_read("server-p256.chain.pem");
    for (size_t size = 0; size < text.size - 1; size++) {
        struct certificate_list list;
        portls_status status = certificates(text.at, size, &list);
        cr_assert_leq(list.count, 1);
        cr_assert_eq(status, list.count == 1 ? PORTLS_OK : PORTLS_BAD_CERTIFICATE);
        certificate_list_clear(&list);
    }
    free(text.at);
}

Test(pem, survives_every_truncation_of_the_der) {
    struct bytes text = pki_read("server-p256.pem");
    struct certificate_list whole;
    cr_assert_eq(certificates(text.at, text.size, &whole), PORTLS_OK);
    for (size_t size = 1; size < whole.blobs[0].size; size++) {
        struct bytes part = pem_of("CERTIFICATE", whole.blobs[0].bytes, size);
        struct certificate_list list;
        cr_assert_eq(certificates(part.at, part.size, &list), PORTLS_BAD_CERTIFICATE);
        free(part.at);
    }
    certificate_list_clear(&whole);
    free(text.at);
}

Test(pem, survives_every_changed_byte) {
    static const uint8_t changes[] = {0x00, 0x0a, 0x0d, 0x20, 0x2d, 0x3a, 0x3d, 0x41, 0x80, 0xff};
    struct bytes text = pki_read("server-p256.pem");
    for (size_t i = 0; i < text.size; i++) {
        uint8_t before = text.at[i];
        for (size_t change = 0; change < sizeof changes; change++) {
            text.at[i] = changes[change];
            struct certificate_list list;
            portls_status status = certificates(text.at, text.size, &list);
            cr_assert(status == PORTLS_OK || status == PORTLS_BAD_CERTIFICATE);
            certificate_list_clear(&list);
        }
        text.at[i] = before;
    }
    free(text.at);
}
