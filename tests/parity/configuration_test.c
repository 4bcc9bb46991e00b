/*
 * One configuration on every backend (design, section 4): what a client's hello offers, and what a
 * server chooses of a scripted offer, against one table. The suite is run a second time with an
 * openssl.cnf that says otherwise.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hello.h"
#include "resumption.h"

SPEC_SUITE(configuration);

static const char *text_of(enum offered list, const struct codes *codes) {
    static char text[2][OFFERED_MAX * 50];
    static unsigned turn;
    char *to = text[turn++ % 2];
    size_t size = sizeof text[0], used = 0;
    to[0] = '\0';
    for (size_t i = 0; i < codes->count; i++) {
        const char *name = code_name(list, codes->codes[i]);
        int more = name[0] != '\0'
                       ? snprintf(to + used, size - used, " %s", name)
                       : snprintf(to + used, size - used, " 0x%04x", (unsigned)codes->codes[i]);
        used += (size_t)more;
    }
    return to;
}

static bool has(const struct codes *codes, uint16_t code) {
    for (size_t i = 0; i < codes->count; i++) {
        if (codes->codes[i] == code) {
            return true;
        }
    }
    return false;
}

/* ---- what a client offers ---- */

static void hear_client(portls_protocol protocol, struct codes offered[OFFERED_COUNT]) {
    portls_context *context = client_context(protocol, NULL, NULL);
    hello_hear(context, offered);
    portls_free_context(context);
}

static bool is_library(const struct library *library) {
    const char *text = portls_backend_version();
    return strstr(text, library->with) != NULL &&
           (library->without[0] == '\0' || strstr(text, library->without) == NULL);
}

/* What this build's library is to offer. */
static struct codes expected_of(enum offered list, const struct codes *offered) {
    struct codes expected = offered_table[list].codes;
    for (size_t i = 0; i < offered_exceptions_size; i++) {
        const struct offered_exception *exception = &offered_exceptions[i];
        if (exception->list == list && is_library(&exception->library)) {
            expected = exception->codes;
        }
    }
    if (list == OFFERED_GROUPS && has(offered, HYBRID_GROUP)) {
        memmove(expected.codes + 1, expected.codes, expected.count++ * sizeof expected.codes[0]);
        expected.codes[0] = HYBRID_GROUP;
    }
    /* A small library lacks some; the order holds for what is there. */
    if (!PORTLS_HOSTED) {
        size_t kept = 0;
        for (size_t i = 0; i < expected.count; i++) {
            if (has(offered, expected.codes[i])) {
                expected.codes[kept++] = expected.codes[i];
            }
        }
        expected.count = kept;
    }
    return expected;
}

SPEC(configuration, a_client_offers_what_the_table_says) {
    struct codes offered[OFFERED_COUNT];
    hear_client(PORTLS_AUTO, offered);
    for (enum offered list = 0; list < OFFERED_COUNT; list++) {
        struct codes expected = expected_of(list, &offered[list]);
        cr_expect(offered[list].count > 0 && offered[list].count == expected.count &&
                      memcmp(offered[list].codes, expected.codes,
                             expected.count * sizeof expected.codes[0]) == 0,
                  "%s:\n%s\nand not\n%s", offered_table[list].what, text_of(list, &offered[list]),
                  text_of(list, &expected));
    }
}

/* ---- what a server chooses ---- */

/* Whether a TLS client of this offer goes on with the choice: wolfSSL names no group, or P-256,
   where none of the client's will do, and leaves the refusal to the client. */
static bool is_agreement(const struct choice_row *row, const struct choice *choice) {
    for (size_t i = 0; i < COUNT_OF(row->groups); i++) {
        if (row->groups[i] == choice->group && choice->group != 0) {
            return true;
        }
    }
    return choice->suite != 0 && choice->group != 0 && row->groups[0] == 0;
}

/* A row as this build's library is to answer it. */
static struct choice_row with_exceptions(const struct choice_row *from) {
    struct choice_row row = *from;
    for (size_t i = 0; i < choice_exceptions_size; i++) {
        const struct choice_exception *exception = &choice_exceptions[i];
        if (is_library(&exception->library) && strcmp(exception->what, row.what) == 0 &&
            exception->version == row.version) {
            row.suite = exception->suite;
            row.group = exception->group;
        }
    }
    return row;
}

static void check_choice(const struct choice_row *row, portls_protocol protocol) {
    portls_context *context = server_context(protocol, row->identity, NULL);
    struct choice choice = hello_say(context, row);
    portls_free_context(context);
    if (!is_agreement(row, &choice)) {
        choice = (struct choice){0, 0, 0, 0};
    }
    const char *version = row->version == 0x0304 ? "TLS 1.3" : "TLS 1.2";
    cr_expect_eq(choice.suite, row->suite, "%s, %s: suite 0x%04x (group %u), not 0x%04x", version,
                 row->what, choice.suite, choice.group, row->suite);
    if (row->suite == 0 || choice.suite == 0) {
        return;
    }
    cr_expect_eq(choice.version, row->version, "%s, %s: version 0x%04x", version, row->what,
                 choice.version);
    cr_expect(row->group == 0 || choice.group == row->group, "%s, %s: group %u, not %u", version,
              row->what, choice.group, row->group);
    cr_expect(row->scheme == 0 || choice.scheme == row->scheme, "%s, %s: scheme 0x%04x, not 0x%04x",
              version, row->what, choice.scheme, row->scheme);
}

SPEC_FOR_EACH(configuration, choice, struct choice_row, element, choice_table, choice_table_size) {
    struct choice_row row = with_exceptions(element);
    const struct spoken *version = &spoken[row.version == 0x0304];
    struct codes offered[OFFERED_COUNT];
    if (!is_spoken(version)) {
        return;
    }
    hear_client(PORTLS_AUTO, offered);
    if (!PORTLS_HOSTED && row.suite != 0 &&
        !(has(&offered[OFFERED_SUITES], row.suite) &&
          (row.group == 0 || has(&offered[OFFERED_GROUPS], row.group)))) {
        return;
    }
    check_choice(&row, PORTLS_AUTO);
    check_choice(&row, version->protocol);
}

/* ---- contexts of one version ---- */

IN_EACH_PROTOCOL(configuration, a_client_of_one_version_offers_that_version) {
    struct codes offered[OFFERED_COUNT], all[OFFERED_COUNT];
    bool is_13 = version->protocol == PORTLS_TLS13;
    hear_client(version->protocol, offered);
    hear_client(PORTLS_AUTO, all);
    cr_expect_eq(offered[OFFERED_VERSIONS].count, 1);
    cr_expect_eq(offered[OFFERED_VERSIONS].codes[0], is_13 ? 0x0304 : 0x0303);
    for (size_t list = OFFERED_SUITES; list < OFFERED_COUNT; list++) {
        size_t place = 0;
        for (size_t i = 0; i < all[list].count; i++) {
            place +=
                place < offered[list].count && all[list].codes[i] == offered[list].codes[place];
        }
        cr_expect(offered[list].count > 0 && place == offered[list].count, "%s:\n%s",
                  offered_table[list].what, text_of((enum offered)list, &offered[list]));
    }
}

/* ---- resumption ---- */

SPEC(configuration, resumption_is_what_the_table_says) {
    for (size_t i = 0; i < resumption_table_size; i++) {
        const struct resumption_row *row = &resumption_table[i];
        size_t measured = 0;
        if (resumption_measure(row->subject, &measured)) {
            size_t expected = resumption_expected(row);
            cr_expect_eq(measured, expected, "%s: %zu, not %zu", row->what, measured, expected);
        }
    }
}

/* ---- the table in docs/backends.md ---- */

#if PORTLS_HOSTED

static void write_offers(FILE *file) {
    struct codes offered[OFFERED_COUNT];
    struct named_code named;
    hear_client(PORTLS_AUTO, offered);
    for (size_t i = 0; code_at(i, &named); i++) {
        const struct codes *codes = &offered[named.list];
        size_t place = 0;
        while (place < codes->count && codes->codes[place] != named.code) {
            place++;
        }
        if (place < codes->count) {
            fprintf(file, "%s: %s|%zu\n", offered_table[named.list].what, named.name, place + 1);
        } else {
            fprintf(file, "%s: %s|no\n", offered_table[named.list].what, named.name);
        }
    }
}

static void write_choices(FILE *file) {
    portls_context *contexts[] = {server_context(PORTLS_AUTO, "server-rsa2048", NULL),
                                  server_context(PORTLS_AUTO, "server-p256", NULL)};
    for (size_t i = 0; i < choice_table_size; i++) {
        const struct choice_row *row = &choice_table[i];
        struct choice choice = hello_say(contexts[row->identity[7] == 'p'], row);
        fprintf(file, "a server of %s is offered: %s|", code_name(OFFERED_VERSIONS, row->version),
                row->what);
        if (is_agreement(row, &choice)) {
            fprintf(file, "%s, %s", code_name(OFFERED_SUITES, choice.suite),
                    code_name(OFFERED_GROUPS, choice.group));
            fprintf(file, "%s%s\n", choice.scheme != 0 ? ", " : "",
                    code_name(OFFERED_SCHEMES, choice.scheme));
        } else {
            fprintf(file, "refused\n");
        }
    }
    portls_free_context(contexts[0]);
    portls_free_context(contexts[1]);
}

static void write_resumption(FILE *file) {
    for (size_t i = 0; i < resumption_table_size; i++) {
        const struct resumption_row *row = &resumption_table[i];
        size_t measured = 0;
        if (resumption_measure(row->subject, &measured)) {
            fprintf(file, "%s|%zu\n", row->what, measured);
        }
    }
}

/* cmake/configuration.cmake asks for it. */
SPEC(configuration, is_written_down) {
    const char *path = getenv("PORTLS_CONFIGURATION_FILE");
    FILE *file = path == NULL ? NULL : fopen(path, "w");
    cr_assert(path == NULL || file != NULL);
    if (file != NULL) {
        fprintf(file, "%s\n%s\n", portls_backend_name(), portls_backend_version());
        write_offers(file);
        write_choices(file);
        write_resumption(file);
        cr_assert_eq(fclose(file), 0);
    }
}

#endif
