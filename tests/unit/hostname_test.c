/* Host names and addresses: what counts as which, and what is refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/x509/hostname.h"

Test(hostname, tells_addresses) {
    static const char *const addresses[] = {
        "127.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "1::",
        "2001:db8::8:800:200c:417a",
        "1:2:3:4:5:6:7:8",
        "FE80::1%eth0",
        "::ffff:192.0.2.1",
        "1:2:3:4:5:6:1.2.3.4",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "1::8",
    };
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        cr_expect(hostname_is_address(addresses[i]), "%s", addresses[i]);
    }
}

Test(hostname, tells_what_is_no_address) {
    static const char *const names[] = {
        "",
        "localhost",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.4.",
        "1..3.4",
        ".1.2.3",
        "1.2.3.4 ",
        "1.2.3.4%lo",
        ":",
        ":::",
        "1:2:3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "12345::",
        "::g",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "::1%",
        "[::1]",
        "1:2:3:4:5:6:7::8",
        "::1.2.3",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1.2.3.4::",
        "0x7f.0.0.1",
        "1.2.3.-4",
        "::1.2.3.4:5",
        "%eth0",
        "1:2:3:4:5:6:7:8::",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_expect_not(hostname_is_address(names[i]), "%s", names[i]);
    }
}

static void expect_normal(const char *host, const char *expected) {
    char normal[HOSTNAME_MAX + 1];
    portls_error error;
    error_begin(&error);
    cr_expect_eq(hostname_normalise(host, normal, &error), PORTLS_OK, "%s: %s", host,
                 error.message);
    cr_expect_str_eq(normal, expected);
}

static void expect_refused(const char *host, const char *message) {
    char normal[HOSTNAME_MAX + 1];
    portls_error error;
    error_begin(&error);
    cr_expect_eq(hostname_normalise(host, normal, &error), PORTLS_INVALID_ARGUMENT);
    cr_expect_str_eq(error.message, message);
    cr_expect_str_empty(normal);
    cr_expect_eq(hostname_normalise(host, normal, NULL), PORTLS_INVALID_ARGUMENT);
}

Test(hostname, normalises) {
    expect_normal("localhost", "localhost");
    expect_normal("WWW.Example.ORG.", "www.example.org");
    expect_normal("_srv.a-b.x9", "_srv.a-b.x9");
    expect_normal("xn--bcher-kva.example", "xn--bcher-kva.example");
    expect_normal("127.0.0.1", "127.0.0.1");
    expect_normal("FE80::A%Eth0", "fe80::a");
    expect_normal("::1", "::1");
}

/* Fills a name with labels of `label` bytes up to `size` bytes in all. */
static void fill_name(char *name, size_t size, size_t label) {
    for (size_t i = 0; i < size; i++) {
        name[i] = i % (label + 1) == label ? '.' : 'a';
    }
    name[size] = '\0';
}

Test(hostname, takes_the_longest_and_no_longer) {
    char name[HOSTNAME_MAX + 3];
    fill_name(name, HOSTNAME_MAX, 63);
    expect_normal(name, name);
    char with_dot[HOSTNAME_MAX + 5];
    (void)snprintf(with_dot, sizeof with_dot, "%s.", name);
    expect_normal(with_dot, name);
    fill_name(name, HOSTNAME_MAX + 1, 62);
    expect_refused(name, "the host name has 254 bytes, and 253 is the most");
    fill_name(name, 64, 64);
    expect_refused(name,
                   "the host name has a label of 64 bytes between its dots, and 63 is the most");
}

Test(hostname, says_what_is_wrong) {
    expect_refused(NULL, "the host name is empty");
    expect_refused("", "the host name is empty");
    const char *empty_label =
        "the host name has an empty label: two dots together, or one in front";
    expect_refused(".", empty_label);
    expect_refused("a..b", empty_label);
    expect_refused(".a", empty_label);
    expect_refused("a..", empty_label);
    expect_refused("b\xc3\xbc"
                   "cher.example",
                   "the host name has the byte 0xc3, which is not ASCII: such a name has to be "
                   "given in its xn-- form");
    expect_refused("a b", "the host name has a ' ', which stands in no host name");
    expect_refused("*.example", "the host name has a '*', which stands in no host name");
    expect_refused("a\nb", "the host name has the byte 0x0a, which stands in no host name");
    expect_refused("a\x7f", "the host name has the byte 0x7f, which stands in no host name");
    expect_refused("localhost:443", "the host name has a ':', which stands in no host name: the "
                                    "port number is an argument of its own");
    expect_refused("[::1]", "the host name has a '[', which stands in no host name: an IPv6 "
                            "address is given without brackets");
    expect_refused("a/b", "the host name has a '/', which stands in no host name: a host is "
                          "wanted, not a URL");
}
