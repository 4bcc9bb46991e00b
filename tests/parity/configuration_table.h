/*
 * What every backend negotiates (design, section 4), by the code points of IANA: what a client
 * offers, in this order, and what a server chooses of an offer. docs/backends.md has a table made
 * from it.
 */
#ifndef CONFIGURATION_TABLE_H
#define CONFIGURATION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The lists of a ClientHello. */
enum offered { OFFERED_VERSIONS, OFFERED_SUITES, OFFERED_GROUPS, OFFERED_SCHEMES, OFFERED_COUNT };

enum { OFFERED_MAX = 64 };

/* Code points, in order. */
struct codes {
    uint16_t codes[OFFERED_MAX];
    size_t count;
};

/* What a client with a context of any version offers, and the list's name in docs/backends.md. */
struct offered_row {
    const char *what;
    struct codes codes;
};
extern const struct offered_row offered_table[OFFERED_COUNT];

/* In front of the groups where a library has it. */
enum { HYBRID_GROUP = 0x11ec };

/* A library that does otherwise, because portls has no way to change it: it has the first in its
   version text, and not the second, unless that is "". */
struct library {
    const char *with, *without;
};

/* What it offers instead. */
struct offered_exception {
    struct library library;
    enum offered list;
    struct codes codes;
};
extern const struct offered_exception offered_exceptions[];
extern const size_t offered_exceptions_size;

/* What a server makes of an offer. Empty lists: all groups, all schemes. A result of 0: the offer
   is refused; for group and scheme: any. Holds no pointers. */
struct choice_row {
    char what[72];
    uint16_t version;
    char identity[16];
    uint16_t suites[24], groups[10], schemes[8];
    uint16_t suite, group, scheme;
};
extern const struct choice_row choice_table[];
extern const size_t choice_table_size;

/* What it chooses instead, of the rows that are called this. */
struct choice_exception {
    struct library library;
    const char *what;
    uint16_t version, suite, group;
};
extern const struct choice_exception choice_exceptions[];
extern const size_t choice_exceptions_size;

/* The name of IANA, or "" of a code point that is in no list here. */
const char *code_name(enum offered list, uint16_t code);

/* All that have a name, by place. Returns false behind the last. */
struct named_code {
    enum offered list;
    uint16_t code;
    const char *name;
};
bool code_at(size_t place, struct named_code *named);

#endif
